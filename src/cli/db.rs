//! `sluice db`

use super::args;
use super::diagnostics;
use crate::embedded;
use crate::error::Result;
use embedded_postgres::Server;

pub(super) fn db(command: &args::Db) -> Result<u8> {
    let postgres = embedded::at(&embedded::home());
    match command {
        args::Db::Install => {
            let installed =
                postgres.install(|what| diagnostics::note(&format!("fetching {what}")))?;
            let verb = match installed.is_old {
                true => "is installed already",
                false => "installed",
            };
            println!("PostgreSQL {} {verb}: {}", installed.major, installed.bin.display());
            if let Ok(bin) = postgres.bin()
                && bin != installed.bin
            {
                diagnostics::note(&format!(
                    "the embedded server goes on with {}; to prefer the new one, set PG_BIN=installed",
                    bin.display()
                ));
            }
        }
        args::Db::Start => {
            let server = postgres.start()?;
            println!("running: {}", server.url());
        }
        args::Db::Stop => match postgres.stop()? {
            true => println!("stopped"),
            false => println!("not running"),
        },
        args::Db::Url { database } => println!("{}", of(postgres.start()?, database).url()),
        args::Db::Psql { database, args } => {
            postgres.psql(&of(postgres.start()?, database), args)?;
        }
    }
    Ok(0)
}

/// The server as a client of another database sees it.
fn of(server: Server, database: &Option<String>) -> Server {
    match database {
        Some(database) => Server { database: database.clone(), ..server },
        None => server,
    }
}
