//! Installs and upgrades the engine in a database.
//!
//! Tables are migrations (run once, by refinery); functions and views are a bundle that is
//! replaced as a whole. One advisory lock surrounds everything: refinery takes none, and
//! batches hold the same lock in shared mode, so an upgrade waits for batches in flight.

mod bundle;
mod script;

use crate::db::Connector;
use crate::error::{Error, Result};
use bundle::Bundle;
use refinery::Runner;
use tokio_postgres::Client;

mod embedded_migrations {
    refinery::embed_migrations!("migrations");
}

/// The version of this binary, and of the engine it installs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `sluice._lock_class('install')`; needed before that function exists.
const INSTALL_LOCK: i32 = 1_936_487_680;

/// Where refinery remembers which migrations ran.
const HISTORY: &str = "sluice.refinery_schema_history";

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
}

fn runner() -> Runner {
    let mut runner = embedded_migrations::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    runner
}

/// Brings the engine in the database to this binary's version; does nothing when it is
/// there already. Any number of these may run at once.
pub async fn migrate(connector: &Connector) -> Result<Installed> {
    let lock = connector.connect().await?;
    let mut work = connector.connect().await?;
    hold_install_lock(&lock).await?;

    let before = installed(&work).await?;
    refuse_newer(before.as_ref())?;
    check_server(&work).await?;
    // refinery's own "if not exists" chatters at every run.
    work.batch_execute("set client_min_messages = warning; create schema if not exists sluice")
        .await
        .map_err(|error| {
            Error::from(error).next("the role needs create on the database: \"grant create on database ... to ...\"; or let a DBA run the output of \"sluice migrate --dry-run\"")
        })?;
    let report = runner().run_async(&mut *work).await.map_err(|error| {
        Error::failed("a migration failed; it was rolled back")
            .next("mend what the cause names, then run \"sluice migrate\" again")
            .caused_by(error)
    })?;

    let bundle = Bundle::embedded();
    let functions_replaced = before
        .as_ref()
        .is_none_or(|engine| engine.version != VERSION || engine.bundle != bundle.sha256());
    if functions_replaced {
        work.batch_execute(&format!("begin;\n{}\ncommit;", bundle.script(VERSION)))
            .await?;
    } else {
        work.batch_execute("select sluice._grant_to_new_roles()")
            .await?;
    }
    Ok(Installed {
        from: before.map(|engine| engine.version),
        to: VERSION.to_owned(),
        migrations: report
            .applied_migrations()
            .iter()
            .map(ToString::to_string)
            .collect(),
        functions_replaced,
    })
}

/// The SQL that [`migrate`] would run, for a DBA to read and to run with psql.
pub async fn dry_run(connector: &Connector) -> Result<String> {
    let client = connector.connect().await?;
    let before = installed(&client).await?;
    refuse_newer(before.as_ref())?;
    check_server(&client).await?;
    let applied = script::applied_versions(&client).await?;
    let bundle = Bundle::embedded();
    let is_current = before
        .as_ref()
        .is_some_and(|engine| engine.version == VERSION && engine.bundle == bundle.sha256());
    Ok(script::install_script(
        runner().get_migrations(),
        &applied,
        (!is_current).then(|| bundle.script(VERSION)),
    ))
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

struct Engine {
    version: String,
    bundle: String,
}

async fn installed(client: &Client) -> Result<Option<Engine>> {
    let known = client
        .query_typed("select to_regclass('sluice.engine') is not null", &[])
        .await?;
    if !known.first().is_some_and(|row| row.get(0)) {
        return Ok(None);
    }
    let rows = client
        .query_typed("select version, bundle_sha256 from sluice.engine", &[])
        .await?;
    Ok(rows.first().map(|row| Engine {
        version: row.get(0),
        bundle: row.get(1),
    }))
}

fn refuse_newer(engine: Option<&Engine>) -> Result<()> {
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
        text.split(['.', '-', '+'])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    parts(version) > parts(than)
}

async fn check_server(client: &Client) -> Result<()> {
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
    Ok(())
}

/// Waits for batches in flight and for other installers; says so when it takes long.
async fn hold_install_lock(client: &Client) -> Result<()> {
    client.batch_execute("begin").await?;
    for attempt in 0.. {
        let wait = format!(
            "savepoint attempt; set local lock_timeout = '5s'; select pg_advisory_xact_lock({INSTALL_LOCK}, 0)"
        );
        match client.batch_execute(&wait).await {
            Ok(()) => break,
            Err(error) if error.code().is_some_and(|code| code.code() == "55P03") => {
                client.batch_execute("rollback to attempt").await?;
                if attempt == 0 {
                    tracing::warn!("{}", script::holders(client, INSTALL_LOCK).await?);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn versions_compare_by_number() {
        assert!(is_newer("0.10.0", "0.9.1"));
        assert!(is_newer("1.0.0", "0.9.1"));
        assert!(!is_newer("0.9.1", "0.9.1"));
        assert!(!is_newer("0.9.0", "0.9.1"));
    }
}
