//! The installation as a script for psql, and who holds it up.

use crate::error::Result;
use refinery::Migration;
use std::fmt::Write as _;
use tokio_postgres::Client;

/// Versions of the migrations that ran in this database.
pub(super) async fn applied_versions(client: &Client) -> Result<Vec<i32>> {
    let known = client
        .query_typed(
            "select to_regclass('sluice.refinery_schema_history') is not null",
            &[],
        )
        .await?;
    if !known.first().is_some_and(|row| row.get(0)) {
        return Ok(Vec::new());
    }
    let rows = client
        .query_typed("select version from sluice.refinery_schema_history", &[])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What `sluice migrate` would do, as one transaction. Run by psql it leaves the database
/// as `sluice migrate` would, history included.
pub(super) fn install_script(
    migrations: &[Migration],
    applied: &[i32],
    bundle: Option<String>,
) -> String {
    let mut pending: Vec<_> = migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.version()))
        .collect();
    // They come in the order of their names: V10 before V2.
    pending.sort_unstable_by_key(|migration| migration.version());
    if pending.is_empty() && bundle.is_none() {
        return format!("-- sluice {}: nothing to do\n", super::VERSION);
    }
    let mut script = format!(
        "-- sluice {}: run with psql -v ON_ERROR_STOP=1 -f FILE\nbegin;\n\
         select pg_advisory_xact_lock({}, 0);\ncreate schema if not exists sluice;\n\
         create table if not exists {history} (\n  \
         version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));\n\n",
        super::VERSION,
        super::INSTALL_LOCK,
        history = super::HISTORY,
    );
    for migration in pending {
        let _ = write!(
            script,
            "-- {migration}\n{}\ninsert into {} (version, name, applied_on, checksum)\n\
             values ({}, '{}', to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{}');\n\n",
            migration.sql().unwrap_or_default(),
            super::HISTORY,
            migration.version(),
            migration.name(),
            migration.checksum(),
        );
    }
    script.push_str(&bundle.unwrap_or_default());
    script.push_str("commit;\n");
    script
}

/// Who holds the install lock, in words.
pub(super) async fn holders(client: &Client, lock: i32) -> Result<String> {
    let rows = client
        .query_typed(
            &format!(
                "select string_agg(format('%s (%s)', a.pid, a.application_name), ', ')
                 from pg_locks l join pg_stat_activity a using (pid)
                 where l.locktype = 'advisory' and l.granted and l.classid = {lock} and l.objid = 0"
            ),
            &[],
        )
        .await?;
    let who: Option<String> = rows.first().and_then(|row| row.get(0));
    Ok(match who {
        Some(who) => format!(
            "waiting for sessions that use the engine: {who}; a frozen one can be ended with pg_terminate_backend"
        ),
        None => "waiting for the install lock".to_owned(),
    })
}
