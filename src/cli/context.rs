//! What every command needs: the target, and connections to it.

use super::args::{Cli, Host, LogFormat};
use super::{diagnostics, logging, table};
use crate::db::{Connector, Notice, Session, Target};
use crate::error::{Error, Result};
use crate::host::{ALLOW_ENV, ALLOW_FILES, ALLOW_HOSTS, ALLOW_PROGRAMS, HostRules};
use crate::report::ProgressDisplay;
use crate::{embedded, install};
use libpq_conninfo::{Environment, Settings};
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct Context {
    database_url: Option<String>,
    /// Whether the command makes the embedded server if there is none: looking does not.
    makes_server: bool,
    pub(super) json: bool,
    pub(super) progress: ProgressDisplay,
    /// Which server is used was said.
    has_told: AtomicBool,
}

impl Context {
    pub(super) fn new(cli: &Cli) -> Result<Self> {
        let progress = ProgressDisplay::new(cli.log_format == LogFormat::Text);
        if cli.full {
            table::in_full();
        }
        diagnostics::set(cli.log_format, cli.json, &progress);
        logging::start(cli.log_format, cli.verbose, &progress)?;
        if cli.database_url.as_deref().is_some_and(holds_password) {
            diagnostics::note(
                "the password in --database-url is seen by everybody on this machine who lists processes; \
                 give it by DATABASE_URL, PGPASSWORD or ~/.pgpass",
            );
        }
        Ok(Context {
            database_url: cli.database_url.clone(),
            makes_server: cli.command.makes_server(),
            json: cli.json,
            progress,
            has_told: AtomicBool::new(false),
        })
    }

    /// Makes connections that call themselves `application_name`, to whatever is there.
    pub(super) async fn bare_connector(&self, application_name: &str) -> Result<Connector> {
        self.connect_to(self.target()?, application_name).await
    }

    /// Whether the database is the loader's own, which nobody else writes to.
    pub(super) fn is_embedded(&self) -> Result<bool> {
        Ok(matches!(self.target()?, Target::Embedded))
    }

    /// What `--database-url` says.
    pub(super) fn database_url(&self) -> Option<&str> {
        self.database_url.as_deref()
    }

    fn target(&self) -> Result<Target> {
        Target::resolve(self.database_url.as_deref(), &Environment::of_process())
    }

    async fn connect_to(&self, target: Target, application_name: &str) -> Result<Connector> {
        if matches!(target, Target::Embedded) {
            let home = embedded::home();
            if !self.makes_server && !embedded::at(&home).exists()? {
                return Err(Error::usage(format!(
                    "no database is named, and there is no embedded server in \"{}\"",
                    home.display()
                ))
                .next(
                    "name one with --database-url or DATABASE_URL; or go to the folder where the embedded server \
                     was made, or set SLUICE_HOME to its .sluice; or make one here: sluice db start",
                ));
            }
            if !self.has_told.swap(true, Ordering::Relaxed) {
                diagnostics::note(&format!(
                    "no database named; using the embedded server in {}",
                    home.display()
                ));
            }
        }
        let settings = start(target).await?;
        Ok(Connector::new(&settings, application_name)?.on_notice(show_notice))
    }

    /// The same; on the embedded server the engine is installed first, as there is nothing
    /// to set up.
    pub(super) async fn connector(&self, application_name: &str) -> Result<Connector> {
        let target = self.target()?;
        let is_embedded = matches!(target, Target::Embedded);
        let connector = self.connect_to(target, application_name).await?;
        if is_embedded {
            let session = connector.connect().await?;
            if install::check_installed(&session).await.is_err() {
                install::migrate(&connector).await?;
            }
        }
        Ok(connector)
    }

    /// A connection to a database in which the engine is installed.
    pub(super) async fn session(&self) -> Result<Session> {
        let session = self.connector("sluice").await?.connect().await?;
        install::check_installed(&session).await?;
        Ok(session)
    }
}

/// Whether a connection string contains a password, rather than only leading to one.
pub(super) fn holds_password(conninfo: &str) -> bool {
    let nobody = Environment::of("nobody", "/nonexistent", []);
    Settings::parse(conninfo, &nobody)
        .is_ok_and(|settings| settings.hosts.iter().any(|host| host.password.is_some()))
}

impl Host {
    /// What this machine gives to pipelines.
    pub(super) fn rules(&self, context: &Context) -> Result<HostRules> {
        // Not by clap, whose usage would then name the variables' options as if they had to be there.
        let said =
            |option: &Option<String>, name| option.clone().or_else(|| std::env::var(name).ok());
        Ok(HostRules::new(
            context.is_embedded()?,
            said(&self.allow_env, ALLOW_ENV).as_deref(),
            said(&self.allow_files, ALLOW_FILES).as_deref(),
            said(&self.allow_hosts, ALLOW_HOSTS).as_deref(),
            said(&self.allow_programs, ALLOW_PROGRAMS).as_deref(),
        ))
    }
}

async fn start(target: Target) -> Result<Settings> {
    let target = match target {
        Target::Server(settings) => return Ok(settings),
        Target::Embedded => embedded::at(&embedded::home()),
    };
    // Making a cluster takes seconds and blocks.
    let server = tokio::task::spawn_blocking(move || target.start()).await.map_err(|error| {
        Error::failed("the embedded server could not be started").caused_by(error)
    })??;
    Ok(embedded::settings(&server))
}

/// Tables, schemas, columns, functions, types and indexes that `if not exists` found.
const ALREADY_THERE: [&str; 5] = ["42P07", "42P06", "42701", "42723", "42710"];

/// What functions say with RAISE belongs to the user who called them.
fn show_notice(notice: &Notice) {
    match notice.severity.as_str() {
        "DEBUG" | "LOG" | "INFO" => tracing::debug!("{}", notice.message),
        "WARNING" => tracing::warn!("{}", notice.message),
        // A definition that is applied again says this of every table; nothing was done.
        _ if ALREADY_THERE.contains(&notice.sqlstate.as_str()) => {
            tracing::debug!("{}", notice.message);
        }
        _ => diagnostics::notice(&notice.message),
    }
}
