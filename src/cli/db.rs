//! `sluice db`

use super::args;
use crate::embedded;
use crate::error::Result;

pub(super) fn db(command: &args::Db) -> Result<u8> {
    let postgres = embedded::at(&embedded::home());
    match command {
        args::Db::Start => {
            let server = postgres.start()?;
            println!("running: {}", server.url());
        }
        args::Db::Stop => match postgres.stop()? {
            true => println!("stopped"),
            false => println!("not running"),
        },
        args::Db::Url => println!("{}", postgres.start()?.url()),
        args::Db::Psql { args } => {
            postgres.psql(args)?;
        }
    }
    Ok(0)
}
