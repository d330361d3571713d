//! Errors of the server: its own words, the SQLSTATE, and the next step.

use crate::error::{Error, Kind};
use crate::retry;
use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::DbError;

/// What the server said about an error or in a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `WARNING`, `NOTICE`, ….
    pub severity: String,
    /// The five-character code.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// DETAIL.
    pub detail: Option<String>,
    /// HINT.
    pub hint: Option<String>,
    /// The schema of the object concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The constraint that was violated.
    pub constraint: Option<String>,
    /// CONTEXT: the call stack of functions.
    pub where_: Option<String>,
    /// The routine of the server that raised it.
    pub routine: Option<String>,
}

impl ServerError {
    /// The message and what to do about it, in one line.
    pub(super) fn with_next_step(&self) -> String {
        match Error::from(self.clone()).next_step() {
            Some(step) => format!("{}; next: {step}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<&DbError> for ServerError {
    fn from(error: &DbError) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ServerError {
            severity: error.severity().to_owned(),
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: owned(error.detail()),
            hint: owned(error.hint()),
            schema: owned(error.schema()),
            table: owned(error.table()),
            column: owned(error.column()),
            constraint: owned(error.constraint()),
            where_: owned(error.where_()),
            routine: owned(error.routine()),
        }
    }
}

/// What the server said, if this error came from it.
pub fn server_error(error: &tokio_postgres::Error) -> Option<ServerError> {
    error.as_db_error().map(ServerError::from)
}

/// The frames of CONTEXT worth showing: the innermost ones say where, the rest is plumbing.
const CONTEXT_LINES: usize = 3;

/// What the engine's own conditions mean for a run. The functions that raise them say more:
/// `SL001` deposed, `SL002` out of sequence, `SL003` too many bad records, `SL004` books do
/// not balance, `SL005` definition, `SL006` transform replaced, `SL007` paused, `SL008` too many
/// missing rows, `SL009` payloads that were not sent.
fn engine_kind(sqlstate: &str) -> Option<Kind> {
    Some(match sqlstate {
        "SL001" => Kind::Locked,
        "SL003" => Kind::Threshold,
        "SL005" | "SL006" => Kind::Usage,
        code if code.starts_with("SL") => Kind::Failed,
        _ => return None,
    })
}

/// The engine words its errors for people; the place in its functions adds nothing.
fn engine_error(kind: Kind, said: ServerError) -> Error {
    let mut error = Error::new(kind, said.message).with_sqlstate(said.sqlstate);
    for (number, line) in said.detail.iter().flat_map(|text| text.lines()).enumerate() {
        error = error.detail(match kind {
            Kind::Threshold if number == 0 => format!("most:  {line}"),
            // These have their label.
            Kind::Threshold if line.starts_with("first: ") || line.starts_with("guess: ") => {
                line.to_owned()
            }
            Kind::Threshold => format!("       {line}"),
            _ => line.to_owned(),
        });
    }
    match said.hint {
        Some(step) => error.next(step),
        None => error,
    }
}

impl From<ServerError> for Error {
    fn from(said: ServerError) -> Self {
        if let Some(kind) = engine_kind(&said.sqlstate) {
            return engine_error(kind, said);
        }
        let mut error = Error::failed(format!("{} {}", said.sqlstate, said.message));
        if let Some(detail) = &said.detail {
            error = error.detail(format!("detail: {detail}"));
        }
        for (label, name) in [("column", &said.column), ("constraint", &said.constraint)] {
            // Most messages name it already.
            if let Some(name) = name.as_ref().filter(|name| !said.message.contains(*name)) {
                error = error.detail(format!("{label}: {name}"));
            }
        }
        for line in said.where_.iter().flat_map(|lines| lines.lines()).take(CONTEXT_LINES) {
            error = error.detail(format!("where:  {line}"));
        }
        if let Some(step) = said.hint.as_deref().or_else(|| next_step(&said)) {
            error = error.next(step);
        }
        error.with_sqlstate(said.sqlstate).with_routine(said.routine)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        match server_error(&error) {
            Some(said) => said.into(),
            None if error.is_closed() => Error::failed("the connection to the server was lost")
                .next("the transaction in hand was rolled back unless its commit had arrived; it is safe to run again")
                .caused_by(error),
            None if retry::is_retryable(&error) => {
                Error::failed("the server cannot be reached").caused_by(error)
            }
            None => Error::failed("the server was not understood").caused_by(error),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(TimeoutType::Wait) => {
                Error::failed("a connection was asked for while all of them were in use")
                    .next("this is a fault of sluice: please report what it printed above")
            }
            PoolError::Timeout(_) => Error::failed("no connection to the server in time")
                .next(
                    "check that the server runs and accepts connections, or raise connect_timeout",
                )
                .caused_by(std::io::Error::new(std::io::ErrorKind::TimedOut, error)),
            error => Error::failed("the connection pool failed").caused_by(error),
        }
    }
}

/// What to do about errors that come without a HINT and that people run into while setting up.
fn next_step(said: &ServerError) -> Option<&'static str> {
    Some(match &*said.sqlstate {
        "28P01" => "check the password: in the URL, PGPASSWORD or ~/.pgpass (mode 0600)",
        "28000" => "check the role, sslmode and the server's pg_hba.conf",
        "3D000" => "create the database first (createdb), or name another one",
        "42501" if said.routine.as_deref() == Some("check_enable_rls") => {
            "the role has row_security = off, under which no table with policies is read, as the engine's are: alter role ... reset row_security"
        }
        "42501" => {
            "grant the role what it lacks there (`sluice doctor` has the grants that pipelines need), or connect as another one"
        }
        // Messages are translated; which limit it is, the routine tells.
        "53300" => match said.routine.as_deref() {
            Some("InitializeSessionUserId") => {
                "run with fewer workers (--workers 1), or raise the limit of the role: alter role ... connection limit ..."
            }
            Some("CheckMyDatabase") => {
                "run with fewer workers (--workers 1), or raise the limit of the database: alter database ... connection limit ..."
            }
            _ => "run with fewer workers (--workers 1), or raise max_connections on the server",
        },
        "53100" => "free disk space on the server, then run again",
        "25P03" => {
            "idle_in_transaction_session_timeout is too short here, or this process was paused: raise it for the role (alter role ... set idle_in_transaction_session_timeout = '10min'), then run again"
        }
        "25P04" => {
            "raise transaction_timeout for the role (alter role ... set transaction_timeout = '1h'), or make batches smaller (--batch-rows), then run again"
        }
        "57014" => {
            "if it was statement_timeout, raise it for the role (alter role ... set statement_timeout = '10min') or make batches smaller (--batch-rows); if somebody cancelled it, run again"
        }
        "57P05" => {
            "raise idle_session_timeout for the role (alter role ... set idle_session_timeout = '1h'), then run again"
        }
        "57P03" => "the server is starting up or shutting down; try again in a moment",
        "25006" => {
            "connect to the primary, as a role that may write (see `sluice doctor`); code that verify and why run may not"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_of_the_server_are_named_with_the_setting_to_raise() {
        for (sqlstate, setting) in [
            ("25P03", "idle_in_transaction_session_timeout"),
            ("25P04", "transaction_timeout"),
            ("57014", "statement_timeout"),
            ("57P05", "idle_session_timeout"),
        ] {
            let said = ServerError {
                severity: "FATAL".to_owned(),
                sqlstate: sqlstate.to_owned(),
                message: "in whatever language".to_owned(),
                detail: None,
                hint: None,
                schema: None,
                table: None,
                column: None,
                constraint: None,
                where_: None,
                routine: None,
            };
            let set = format!("alter role ... set {setting} = ");
            assert!(said.with_next_step().contains(&set), "{sqlstate}");
            let error = Error::from(said);
            assert!(error.next_step().unwrap().contains(&set), "{error}");
        }
    }
}
