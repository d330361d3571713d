//! MySQL and MariaDB as sources, in the text protocol: values come as the server prints them.

mod column;
mod relation;

use std::path::PathBuf;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Opts, OptsBuilder, Value};

use self::relation::MySqlRelation;
use super::cursor::Marks;
use super::fetch::{RowWindow, Server, WindowPart};
use super::json::JsonObjectWriter;
use super::row_sender::{JsonRow, RowSender};
use super::settings::{DatabaseSettings, NullCursor};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::secret::Secret;
use crate::source::{Declared, SourceContext};

/// Texts of values are the same whatever the server and the user have set; and the server waits for a slow
/// reader, as batches are committed meanwhile. The longest it can wait is a year. Texts are sorted by as many
/// bytes as an index can have.
const PINS: [&str; 9] = [
    "set names utf8mb4",
    "set session time_zone = '+00:00'",
    "set session sql_mode = ''",
    "set session max_sort_length = 4096",
    "set session net_write_timeout = 31536000",
    "set session net_read_timeout = 31536000",
    "set session wait_timeout = 31536000",
    "set session sql_big_selects = 1",
    "set session transaction isolation level repeatable read",
];

const STATEMENT_TIMEOUTS: [u16; 2] = [1969, 3024];

pub(super) struct MySql {
    opts: Opts,
    settings: DatabaseSettings,
}

/// A connection inside of a transaction.
pub(super) struct MySqlSession {
    connection: Conn,
    relation: MySqlRelation,
}

impl MySql {
    pub(super) fn new(settings: &DatabaseSettings, context: &SourceContext) -> Result<Self> {
        let location = settings.secret_location()?;
        let secret = location.read(&context.host)?;
        let url = secret.expose().replacen("mariadb://", "mysql://", 1);
        let (url, ca) = without_ca(&url);
        let opts = Opts::from_url(&url).map_err(|cause| {
            Error::usage(format!("the connection of the source ({location}) is not a URL of MySQL"))
                .caused_by(cause)
                .next(
                    "mysql://user:password@host:3306/database, special characters percent-encoded",
                )
        })?;
        ask(&opts, &context.host)?;
        if let Some(ca) = &ca {
            context.host.file(ca.as_ref())?;
        }
        if let Some(password) = opts.pass() {
            context.secrets.add(&Secret::new(password.to_owned()));
        }
        // A connection to a host does not switch to a socket.
        let ssl = opts.ssl_opts().cloned();
        let mut opts = OptsBuilder::from_opts(opts).prefer_socket(false);
        if let Some(ca) = ca {
            let roots = vec![PathBuf::from(ca).into()];
            let ssl = ssl.unwrap_or_default().with_root_certs(roots);
            opts = opts.ssl_opts(ssl.with_disable_built_in_roots(true));
        }
        Ok(MySql { opts: opts.into(), settings: settings.clone() })
    }

    fn explain(&self, cause: mysql_async::Error) -> Error {
        let origin = self.settings.origin();
        match cause {
            mysql_async::Error::Server(said) => {
                let error =
                    Error::failed(format!("source {origin}: {} {}", said.code, said.message));
                match said.code {
                    code if STATEMENT_TIMEOUTS.contains(&code) => {
                        error.next("raise statement_timeout of the source")
                    }
                    1044 | 1045 => error.next(
                        "check user, password and host of the connection, and what that user may read there",
                    ),
                    1060 => error.next("give each column of the query a name of its own: select a.id, b.id as b_id"),
                    // Too many connections, shutdown, deadlock, lost packets: classes 08 and 40.
                    _ => error.with_sqlstate(said.state),
                }
            }
            mysql_async::Error::Driver(cause @ DriverError::ConnectionClosed) => {
                Error::failed(format!("source {origin}: the connection was lost"))
                    .with_sqlstate("08006")
                    .caused_by(cause)
            }
            cause => Error::failed(format!("source {origin}: the server cannot be read"))
                .caused_by(cause),
        }
    }

    async fn connect(&self) -> mysql_async::Result<Conn> {
        let mut connection = Conn::new(self.opts.clone()).await?;
        for pin in PINS {
            connection.query_drop(pin).await?;
        }
        let version: Option<String> = connection.query_first("select version()").await?;
        let timeout = self.settings.statement_timeout();
        let pin = match version.is_some_and(|version| version.contains("MariaDB")) {
            true => format!("set session max_statement_time = {}", timeout.as_secs_f64()),
            false => format!("set session max_execution_time = {}", timeout.as_millis()),
        };
        connection.query_drop(pin).await?;
        connection.query_drop("start transaction with consistent snapshot, read only").await?;
        Ok(connection)
    }

    /// The greatest cursor in the snapshot that is read: what is not in it is newer, except for what the
    /// lag makes up for.
    async fn marks(&self, reading: &mut MySqlSession, known: &Marks) -> Result<Marks> {
        let Some(sql) = reading.relation.newest() else {
            return Ok(known.clone());
        };
        let row: Option<mysql_async::Row> =
            reading.connection.query_first(sql).await.map_err(|cause| self.explain(cause))?;
        let newest = match row {
            Some(row) => reading.relation.place(&row.unwrap(), 0, 1)?.pop().flatten(),
            None => None,
        };
        Ok(known.clone().then(newest, Vec::new()))
    }
}

impl Server for MySql {
    type Session = MySqlSession;

    async fn open(&self, known: Option<&Marks>) -> Result<(MySqlSession, Option<Marks>)> {
        let mut connection = self.connect().await.map_err(|cause| self.explain(cause))?;
        let found = MySqlRelation::find(&mut connection, &self.settings).await;
        let relation = found.map_err(|cause| self.explain(cause))??;
        let mut reading = MySqlSession { connection, relation };
        if let (NullCursor::Refuse, Some(sql)) =
            (self.settings.null_cursor, reading.relation.without_cursor())
        {
            let found: Option<u8> =
                reading.connection.query_first(sql).await.map_err(|cause| self.explain(cause))?;
            if found.is_some() {
                return Err(super::null_cursor_refused(
                    self.settings.cursor.as_deref().unwrap_or_default(),
                ));
            }
        }
        let marks = match known {
            Some(known) => Some(self.marks(&mut reading, known).await?),
            None => None,
        };
        Ok((reading, marks))
    }

    async fn declared(&self, reading: &mut MySqlSession) -> Result<Declared> {
        Ok(reading.relation.declared())
    }

    async fn read(
        &self,
        reading: &mut MySqlSession,
        window: &RowWindow,
        out: &mut RowSender,
    ) -> Result<()> {
        let Some(sql) = reading.relation.statement(window)? else {
            return Ok(());
        };
        out.set_names(&reading.relation.names).await?;
        let asked = reading.connection.query_iter(sql).await;
        let mut rows = asked.map_err(|cause| self.explain(cause))?;
        let has_cursor = window.part == WindowPart::WithCursor;
        while let Some(row) = rows.next().await.map_err(|cause| self.explain(cause))? {
            let values = row.unwrap();
            let width = reading.relation.columns.len();
            let record = record(&reading.relation, &values[..width]);
            let first = usize::from(!has_cursor);
            let mut place =
                reading.relation.place(&values[width..], first, values.len() - width)?;
            let cursor = if has_cursor { place.remove(0) } else { None };
            out.push(record, cursor, place).await?;
        }
        Ok(())
    }
}

fn record(relation: &MySqlRelation, values: &[Value]) -> JsonRow {
    let mut object = JsonObjectWriter::new();
    for (column, value) in relation.columns.iter().zip(values) {
        match value {
            Value::Bytes(bytes) => column.write(bytes, &mut object),
            _ => object.json(&column.name, b"null"),
        }
    }
    object.finish()
}

/// The URL without the parameter that names a file of certificates, which the library does not
/// know, and that file.
fn without_ca(url: &str) -> (String, Option<String>) {
    let Some((before, query)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let (mut ca, mut kept) = (None, Vec::new());
    for part in query.split('&') {
        match form_urlencoded::parse(part.as_bytes()).next() {
            Some((name, value)) if name == "ssl_ca" => ca = Some(value.into_owned()),
            _ => kept.push(part),
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    (format!("{before}{mark}{}", kept.join("&")), ca)
}

/// Whether this host gives what the connection leads to.
fn ask(opts: &Opts, host: &HostRules) -> Result<()> {
    match opts.socket() {
        Some(socket) => host.file(socket.as_ref()),
        None => host.host(&format!("{}:{}", opts.ip_or_hostname(), opts.tcp_port())),
    }
}
