//! `sluice doctor`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use crate::install;
use serde_json::{Map, Value, json};

pub(super) async fn doctor(context: &Context, args: &args::Doctor) -> Result<u8> {
    let session = context
        .bare_connector("sluice doctor")
        .await?
        .connect()
        .await?;
    let mut findings = table::query(&session, SERVER_CHECKS, &[]).await?;
    match install::check_installed(&session).await {
        Ok(()) => {
            findings.push(finding(
                "engine",
                "ok",
                &format!("version {}", install::VERSION),
            ));
            findings.extend(table::query(&session, ENGINE_CHECKS, &[]).await?);
            findings.extend(pipelines(&session).await?);
        }
        Err(error) => findings.push(finding(
            "engine",
            "fail",
            &format!(
                "{}; {}",
                error.message(),
                error.next_step().unwrap_or_default()
            ),
        )),
    }
    table::print(&findings, args.json, "");
    Ok(u8::from(
        findings.iter().any(|row| row["verdict"] == "fail"),
    ))
}

fn finding(check: &str, verdict: &str, detail: &str) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("check".into(), json!(check));
    row.insert("verdict".into(), json!(verdict));
    row.insert("detail".into(), json!(detail));
    row
}

/// Each pipeline is checked as a batch would check it.
async fn pipelines(session: &crate::db::Session) -> Result<Vec<Map<String, Value>>> {
    let mut findings = Vec::new();
    for row in table::query(
        session,
        "select name from sluice.pipelines where backfill_of is null order by name",
        &[],
    )
    .await?
    {
        let name = row["name"].as_str().unwrap_or_default();
        let checked = session
            .query_typed(
                "select sluice.merge_sql(pipeline => $1)",
                &[(&name, tokio_postgres::types::Type::TEXT)],
            )
            .await;
        findings.push(match checked.map_err(crate::error::Error::from) {
            Ok(_) => finding(&format!("pipeline {name}"), "ok", "fits its target"),
            Err(error) => finding(&format!("pipeline {name}"), "fail", &error.to_string()),
        });
    }
    Ok(findings)
}

/// The minor releases named fix wrong results of MERGE under concurrency (release notes of
/// PostgreSQL 15.15 and its siblings).
const SERVER_CHECKS: &str = "
select 'connection' as check, 'ok' as verdict,
  format('%s on %s as %s', current_database(), coalesce(host(inet_server_addr()), 'a local socket'), current_user) as detail
union all
select 'version',
  case when v.number < 150000 then 'fail'
    when v.number < case v.number / 10000 when 15 then 150015 when 16 then 160011 when 17 then 170007 when 18 then 180001 else 0 end then 'warn'
    else 'ok' end,
  'PostgreSQL ' || current_setting('server_version') || case when v.number < 150000 then ': 15 is the oldest that has merge'
    when v.number < case v.number / 10000 when 15 then 150015 when 16 then 160011 when 17 then 170007 when 18 then 180001 else 0 end
      then ': this minor release has known errors in merge; update it' else '' end
from (select current_setting('server_version_num')::integer as number) v
union all
select 'encoding', case when e = 'UTF8' then 'ok' else 'fail' end, e from current_setting('server_encoding') e
union all
select 'primary', case when pg_is_in_recovery() then 'fail' else 'ok' end,
  case when pg_is_in_recovery() then 'this server is a standby and only reads' else 'accepts writes' end
union all
select 'temporary tables', case when ok then 'ok' else 'fail' end,
  case when ok then 'allowed' else format('grant temporary on database %I to %I', current_database(), current_user) end
from has_database_privilege(current_database(), 'temporary') ok
union all
select name, verdict, detail from (
  select 'fsync' as name, case when s = 'on' then 'ok' else 'warn' end as verdict,
    case when s = 'on' then 'on' else 'off: a crash of the machine can lose or corrupt committed data' end as detail from current_setting('fsync') s
  union all
  select 'synchronous_commit', case when s = 'off' then 'warn' else 'ok' end,
    case when s = 'off' then 'off: a crash can lose the last commits, whole (they are loaded again)' else s end from current_setting('synchronous_commit') s
  union all
  select 'statement_timeout', case when s = '0' then 'ok' else 'warn' end,
    case when s = '0' then 'off' else s || ': a batch that takes longer fails; lower --batch-rows or raise it for this role' end from current_setting('statement_timeout') s
  union all
  select 'idle_in_transaction_session_timeout', case when s = '0' then 'ok' else 'warn' end,
    case when s = '0' then 'off' else s || ': a worker that waits longer for its turn is cut and tries again' end
  from current_setting('idle_in_transaction_session_timeout') s) settings";

const ENGINE_CHECKS: &str = "
select 'role ' || r.name as check, case when exists (select from pg_roles where rolname = r.name) then 'ok' else 'warn' end as verdict,
  case when exists (select from pg_roles where rolname = r.name) then r.what
    else format('missing: ask a DBA for \"create role %s nologin\", then run sluice migrate; not needed by the owner of the schema', r.name) end as detail
from (values ('sluice_operator', 'defines and runs pipelines'), ('sluice_reader', 'sees status and quarantine')) r (name, what)
union all
select 'rights', case when ok then 'ok' else 'fail' end,
  case when ok then 'may run pipelines' else format('grant sluice_operator to %I', current_user) end
from has_function_privilege('sluice.load_batch'::regproc, 'execute') ok";
