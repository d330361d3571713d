//! `sluice db`

use super::args;
use crate::embedded;
use crate::error::Result;

pub(super) fn db(command: &args::Db) -> Result<u8> {
    let home = embedded::home();
    match command {
        args::Db::Start => {
            let server = embedded::ensure_started(&home)?;
            println!("running: {}", server.url());
        }
        args::Db::Stop => match embedded::stop(&home)? {
            true => println!("stopped"),
            false => println!("not running"),
        },
        args::Db::Url => println!("{}", embedded::ensure_started(&home)?.url()),
        args::Db::Psql { args } => {
            embedded::psql(&home, args)?;
        }
    }
    Ok(0)
}
