//! Installs and upgrades the engine in a database.
//!
//! Tables are migrations, run once; functions and views are a bundle that is replaced as a
//! whole. One advisory lock surrounds everything, and batches hold it in shared mode, so an
//! upgrade waits for batches in flight.

mod bundle;
mod difference;
mod lock;
mod plan;

use crate::db::Connector;
use crate::error::{Error, Result};
use bundle::Bundle;
pub use difference::Functions;
use plan::Plan;
use std::fmt::Write as _;
use tokio_postgres::{Client, SimpleQueryMessage};

/// The version of this binary, and of the engine it installs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Views resolve their operators when they are made: never to one that somebody put where the installer
/// looks first.
const PATH: &str = "set local search_path = pg_catalog, pg_temp";

/// What `migrate` did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Installed {
    /// The engine's version before; `None` in a database without engine.
    pub from: Option<String>,
    /// The engine's version now.
    pub to: String,
    /// Migrations applied, by name.
    pub migrations: Vec<String>,
    /// Whether the functions were replaced.
    pub functions_replaced: bool,
    /// Which of them were different before. Empty for a database without the engine.
    pub functions: Functions,
}

impl Installed {
    /// Whether all was there already.
    pub fn is_nothing(&self) -> bool {
        self.migrations.is_empty() && !self.functions_replaced
    }

    /// What will differ from before, in lines; none for a database without the engine.
    pub fn told(&self) -> String {
        let Some(from) = &self.from else {
            return String::new();
        };
        format!(
            "the engine that is there, {from}, becomes {}:\n{}{}",
            self.to,
            difference::list("migrations", &self.migrations),
            self.functions.told()
        )
    }
}

/// Brings the engine in the database to this binary's version; does nothing when it is
/// there already. All of it is one transaction, under the install lock: any number of these
/// may run at once, and one that fails leaves everything as it was.
pub async fn migrate(connector: &Connector) -> Result<Installed> {
    let session = connector.connect().await?;
    session.batch_execute(&format!("begin; {PATH}")).await?;
    lock::hold(&session).await?;
    let plan = Plan::of(&session).await?;
    for step in &plan.steps {
        session.batch_execute(&step.sql).await.map_err(|error| {
            let error = Error::from(error).context(&step.name);
            match (error.sqlstate(), error.next_step()) {
                (Some("42501"), _) => error.next("the role needs create on the database: \"grant create on database ... to ...\"; or let a DBA run the output of \"sluice migrate --dry-run\""),
                (_, None) => error.next("mend what is named here, then run \"sluice migrate\" again"),
                _ => error,
            }
            .detail("the installation was rolled back, all of it")
        })?;
    }
    if plan.steps.is_empty() {
        session.batch_execute("select sluice._grant_to_new_roles()").await?;
    }
    session.batch_execute("commit").await?;
    Ok(plan.installed)
}

/// What [`migrate`] would do, and the SQL that it would run, for a DBA to read and to run with psql.
pub async fn dry_run(connector: &Connector) -> Result<(Installed, String)> {
    let session = connector.connect().await?;
    let plan = Plan::of(&session).await?;
    if plan.steps.is_empty() {
        let script = format!("-- sluice {VERSION}: nothing to do\n");
        return Ok((plan.installed, script));
    }
    let told = plan.installed.told();
    let told: String = told.lines().map(|line| format!("-- {line}\n")).collect();
    let mut script = format!(
        "-- sluice {VERSION}: run with psql -v ON_ERROR_STOP=1 -f FILE\n{told}begin;\n{PATH};\n{};\n",
        lock::take()
    );
    for step in &plan.steps {
        let _ = write!(script, "\n-- {}\n{}\n", step.name, step.sql);
    }
    script.push_str("commit;\n");
    Ok((plan.installed, script))
}

/// Refuses to work with an engine that is missing, older or newer than this binary.
pub async fn check_installed(client: &Client) -> Result<()> {
    let Some(engine) = installed(client).await? else {
        return Err(Error::usage("the engine is not installed in this database")
            .next("run \"sluice migrate\" (or \"sluice migrate --dry-run\" for the SQL)"));
    };
    refuse_newer(Some(&engine))?;
    if engine.version != VERSION || engine.bundle != Bundle::embedded().sha256() {
        return Err(Error::usage(format!(
            "the engine in this database is version {} and differs from this binary's {VERSION}",
            engine.version
        ))
        .next("run \"sluice migrate\" to upgrade it"));
    }
    Ok(())
}

struct EngineRow {
    version: String,
    bundle: String,
}

async fn installed(client: &Client) -> Result<Option<EngineRow>> {
    let known = client
        .query_typed(
            "select pg_catalog.has_table_privilege(pg_catalog.to_regclass('sluice.engine'), 'select'),
               pg_catalog.quote_ident(current_user)",
            &[],
        )
        .await?;
    match known[0].get(0) {
        None => return Ok(None),
        Some(false) => {
            let user: &str = known[0].get(1);
            return Err(Error::usage(format!(
                "the role {user} is a member of none of the engine's roles: sluice_operator, which runs and \
                 changes pipelines, sluice_reader, which looks, and sluice_monitor, which sees counts"
            ))
            .next(format!("grant sluice_operator to {user}")));
        }
        Some(true) => {}
    }
    let rows = client.query_typed("select version, bundle_sha256 from sluice.engine", &[]).await?;
    Ok(rows.first().map(|row| EngineRow { version: row.get(0), bundle: row.get(1) }))
}

fn refuse_newer(engine: Option<&EngineRow>) -> Result<()> {
    match engine {
        Some(engine) if is_newer(&engine.version, VERSION) => Err(Error::usage(format!(
            "the engine in this database is version {}, newer than this binary's {VERSION}",
            engine.version
        ))
        .next(format!("use sluice {} or later", engine.version))),
        _ => Ok(()),
    }
}

fn is_newer(version: &str, than: &str) -> bool {
    let parts = |text: &str| -> Vec<u64> {
        text.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
    };
    parts(version) > parts(than)
}

/// Refuses a server that batches cannot run on.
pub async fn check_server(client: &Client) -> Result<()> {
    let rows = client
        .query_typed(
            "select current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding')",
            &[],
        )
        .await?;
    let (number, version, encoding): (i32, String, String) = match rows.first() {
        Some(row) => (row.get(0), row.get(1), row.get(2)),
        None => return Ok(()),
    };
    if number < 150_000 {
        return Err(Error::usage(format!(
            "the server is PostgreSQL {version}; 15 is the oldest that has merge"
        ))
        .next("use PostgreSQL 15 or later"));
    }
    if encoding != "UTF8" {
        return Err(Error::usage(format!("the database has encoding {encoding}"))
            .next("make one with \"create database ... encoding 'UTF8' template template0\": payloads are kept exactly"));
    }
    let locks = client.simple_query(LOCK).await?.into_iter();
    // Locking and unlocking return a row each.
    let rows = locks.filter(|message| matches!(message, SimpleQueryMessage::Row(_)));
    let merge = client.prepare(MERGE).await.err().map(Error::from);
    check_abilities(merge.as_ref(), rows.count() > 2)
}

/// Servers that speak like PostgreSQL may have no `merge`.
const MERGE: &str = "merge into pg_catalog.pg_class t using (select 1) s on false \
                     when not matched then do nothing";

/// Others have advisory locks that lock nothing. Shared, so that it waits for nobody; given back in the same message.
const LOCK: &str = "select pg_catalog.pg_advisory_lock_shared(1937010549, 0); \
                    select pid from pg_catalog.pg_locks \
                    where locktype operator(pg_catalog.=) 'advisory'::pg_catalog.text \
                      and classid operator(pg_catalog.=) 1937010549::pg_catalog.oid \
                      and pid operator(pg_catalog.=) pg_catalog.pg_backend_pid(); \
                    select pg_catalog.pg_advisory_unlock_shared(1937010549, 0)";

fn check_abilities(merge: Option<&Error>, locks: bool) -> Result<()> {
    let lacking = match merge {
        Some(error) => format!("has no merge: {}", error.message()),
        None if !locks => "grants advisory locks that lock nothing".to_owned(),
        None => return Ok(()),
    };
    Err(Error::usage(format!("the server speaks like PostgreSQL, but {lacking}")).next(
        "a batch needs both to be whole and alone: use PostgreSQL 15 or later, or Citus on it",
    ))
}

#[cfg(test)]
mod tests {
    use super::{check_abilities, is_newer};
    use crate::error::Error;

    #[test]
    fn server_without_merge_or_with_locks_that_lock_nothing_is_refused() {
        let merge = Error::usage("42601 syntax error at or near \"merge\"");
        let refused = check_abilities(Some(&merge), true).expect_err("refused");
        assert!(
            refused.message().ends_with("has no merge: 42601 syntax error at or near \"merge\"")
        );
        let refused = check_abilities(None, false).expect_err("refused");
        assert!(refused.message().ends_with("advisory locks that lock nothing"));
        assert!(check_abilities(None, true).is_ok());
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(is_newer("0.10.0", "0.9.1"));
        assert!(is_newer("1.0.0", "0.9.1"));
        assert!(!is_newer("0.9.1", "0.9.1"));
        assert!(!is_newer("0.9.0", "0.9.1"));
    }
}
