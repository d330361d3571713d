//! Connections to the server: TLS, session settings, notices.
//!
//! A [`Connector`] makes them all. [`connect`] is the short way for one.

mod connector;
mod errors;
mod named;
mod refusal;
mod session;
mod target;

pub use connector::Connector;
pub use errors::server_error;
pub use session::{Notice, Session};
pub use target::Target;

use crate::error::Result;
use libpq_conninfo::Settings;

/// How long a server goes on for a client that has died. Only for the transaction, as behind a pooler the session is
/// not ours.
pub(crate) const END_WITH_THE_CLIENT: &str =
    "do $$ begin set local client_connection_check_interval = '2s';
exception when invalid_parameter_value then null; /* not every system can tell */ end $$";

/// An identifier as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string as SQL writes it.
pub(crate) fn literal(text: &str) -> String {
    let quoted = format!("'{}'", text.replace('\'', "''"));
    match text.contains('\\') {
        true => format!("E{}", quoted.replace('\\', "\\\\")),
        false => quoted,
    }
}

/// One connection to `settings`, seen by the server as `application_name` unless the user
/// chose a name.
pub async fn connect(settings: &Settings, application_name: &str) -> Result<Session> {
    Connector::new(settings, application_name)?.connect().await
}
