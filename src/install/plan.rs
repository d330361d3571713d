//! Finds out what has to be installed in a database.

use super::bundle::{Bundle, QUIET};
use super::difference::Functions;
use super::{Installed, VERSION, check_server, installed, refuse_newer};
use crate::error::{Error, Result};
use refinery::{Migration, Runner};
use tokio_postgres::Client;

mod embedded_migrations {
    refinery::embed_migrations!("migrations");
}

/// Where refinery remembers which migrations ran. Its runner commits each one by itself, so
/// only its files, its checksums and its table are used here.
const HISTORY: &str = "sluice.refinery_schema_history";

/// Steps to be run in one transaction, and what they come to.
pub(super) struct Plan {
    pub(super) steps: Vec<InstallStep>,
    pub(super) installed: Installed,
}

/// One part of the installation.
pub(super) struct InstallStep {
    /// How messages name it.
    pub(super) name: String,
    pub(super) sql: String,
}

impl Plan {
    pub(super) async fn of(client: &Client) -> Result<Plan> {
        let before = installed(client).await?;
        refuse_newer(before.as_ref())?;
        check_server(client).await?;
        let applied = applied(client).await?;
        let runner: Runner = embedded_migrations::migrations::runner();
        let mut migrations: Vec<&Migration> = runner.get_migrations().iter().collect();
        migrations.sort_by_key(|migration| migration.version());
        let (old, pending): (Vec<_>, Vec<_>) = migrations.into_iter().partition(|migration| {
            applied.iter().any(|(version, _)| *version == migration.version())
        });
        refuse_another_history(&old, &applied)?;
        let bundle = Bundle::embedded();
        let functions = match before {
            Some(_) => Functions::of(client, &bundle).await?,
            None => Functions::default(),
        };
        let is_current = !functions.are_edited()
            && before.as_ref().is_some_and(|engine| {
                engine.version == VERSION && engine.bundle == bundle.sha256()
            });
        let mut steps: Vec<InstallStep> = pending.iter().map(|migration| step(migration)).collect();
        if applied.is_empty() {
            steps.insert(0, history());
        }
        if !is_current {
            steps.push(InstallStep {
                name: "functions and views".to_owned(),
                sql: bundle.script(VERSION),
            });
        }
        Ok(Plan {
            steps,
            installed: Installed {
                from: before.map(|engine| engine.version),
                to: VERSION.to_owned(),
                migrations: pending.iter().map(ToString::to_string).collect(),
                functions_replaced: !is_current,
                functions,
            },
        })
    }
}

fn history() -> InstallStep {
    InstallStep {
        name: "schema and history".to_owned(),
        sql: format!(
            "{QUIET};\n\
             create schema if not exists sluice;\n\
             create table if not exists {HISTORY} (\n  \
             version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255));"
        ),
    }
}

fn step(migration: &Migration) -> InstallStep {
    InstallStep {
        name: migration.to_string(),
        sql: format!(
            "{}\ninsert into {HISTORY} (version, name, applied_on, checksum)\n\
             values ({}, '{}', to_char(now() at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '{}');",
            migration.sql().unwrap_or_default(),
            migration.version(),
            migration.name(),
            migration.checksum(),
        ),
    }
}

/// The migrations that ran in this database: version and checksum.
async fn applied(client: &Client) -> Result<Vec<(i32, String)>> {
    let known =
        client.query_typed(&format!("select to_regclass('{HISTORY}') is not null"), &[]).await?;
    if !known.first().is_some_and(|row| row.get(0)) {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(&format!("select version, checksum from {HISTORY}"), &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// A released migration is never edited: one that differs was made by another program.
fn refuse_another_history(old: &[&Migration], applied: &[(i32, String)]) -> Result<()> {
    for (version, checksum) in applied {
        let known = old.iter().find(|migration| migration.version() == *version);
        if known.is_none_or(|migration| migration.checksum().to_string() != *checksum) {
            return Err(Error::usage(format!(
                "migration {version} of this database is not one of this binary's"
            ))
            .next("use the sluice that installed the engine here, or a later one"));
        }
    }
    Ok(())
}
