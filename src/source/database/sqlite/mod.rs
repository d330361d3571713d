//! SQLite as a source. Each value has a type of its own, whatever was declared for its column.

mod statement;
mod value;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::cursor::Marks;
use super::fetch::{RowWindow, Server, WindowPart};
use super::row_sender::RowSender;
use super::settings::{DatabaseSettings, NullCursor};
use crate::db::quoted;
use crate::error::{Error, Result};
use crate::source::mark::MarkKind;
use crate::source::{Declared, SourceContext};
use value::{class, literal, record};

/// How long to wait at a time for a writer that holds the file.
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct Sqlite {
    path: PathBuf,
    settings: DatabaseSettings,
}

/// A connection inside of a transaction.
pub(super) struct SqliteSession {
    connection: Connection,
    query: String,
    cursor: Option<String>,
    key: Vec<String>,
    /// The same, as the file calls them.
    key_names: Vec<String>,
}

impl Sqlite {
    pub(super) fn new(settings: &DatabaseSettings, context: &SourceContext) -> Result<Self> {
        let Some(path) = settings.path.clone() else {
            return Err(Error::usage("the source names no file"));
        };
        context.host.file(&path)?;
        Ok(Sqlite { path, settings: settings.clone() })
    }

    fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&self.path, flags);
        let connection = opened.map_err(|cause| {
            Error::usage(format!("the SQLite file `{}` cannot be opened", self.path.display()))
                .caused_by(cause)
                .next("check the path and who may read it; a database in WAL mode needs its folder to be writable, or its -shm file to be there")
        })?;
        let prepare = || {
            connection.busy_timeout(BUSY)?;
            connection.execute_batch("pragma query_only = on; pragma trusted_schema = off; begin")
        };
        prepare().map_err(|cause| self.explain(cause))?;
        Ok(connection)
    }

    fn explain(&self, cause: rusqlite::Error) -> Error {
        let is_busy = matches!(
            cause.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        let error =
            Error::failed(format!("source {}: SQLite cannot read it", self.settings.origin()));
        match is_busy {
            // What passes by itself: a lock that is not available.
            true => error.with_sqlstate("55P03").caused_by(cause),
            false => {
                error.caused_by(cause).next("check table or query, key and cursor of the source")
            }
        }
    }

    /// The query for what the settings name, and its key.
    fn relation(&self, connection: &Connection) -> Result<(String, Vec<String>)> {
        let Some(table) = &self.settings.table else {
            let query = self.settings.query.clone().unwrap_or_default();
            return Ok((query, self.settings.key.clone()));
        };
        let look = || {
            let mut columns =
                connection.prepare("select name, pk from pragma_table_info(?1) order by pk")?;
            let columns = columns.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
            columns.collect::<rusqlite::Result<Vec<(String, i64)>>>()
        };
        let columns = look().map_err(|cause| self.explain(cause))?;
        if columns.is_empty() {
            return Err(Error::usage(format!("the source has no table {table}"))
                .next("\"table\" => the name of a table or view of the file"));
        }
        let primary = columns.into_iter().filter(|(_, pk)| *pk > 0).map(|(name, _)| name);
        let key = match self.settings.key.is_empty() {
            true => primary.collect(),
            false => self.settings.key.clone(),
        };
        if key.is_empty() {
            return Err(Error::usage(format!("the source's table {table} has no primary key"))
                .next("key => '{id}': columns that tell its rows apart and are never null"));
        }
        Ok((format!("select * from {}", quoted(table)), key))
    }

    fn marks(&self, reading: &SqliteSession, known: &Marks) -> Result<Marks> {
        let Some(cursor) = &reading.cursor else {
            return Ok(known.clone());
        };
        let end = |order: &str, most: Option<&str>| -> Result<Option<Value>> {
            let limit = if most.is_some() { format!(" and {cursor} <= ?1") } else { String::new() };
            let sql = format!(
                "select {cursor} from (\n{}\n) q where {cursor} is not null{limit} order by {cursor} collate binary {order} limit 1",
                reading.query
            );
            let mut found =
                reading.connection.prepare(&sql).map_err(|cause| self.explain(cause))?;
            let mut rows =
                found.query(params_from_iter(most)).map_err(|cause| self.explain(cause))?;
            let row = rows.next().map_err(|cause| self.explain(cause))?;
            row.map(|row| row.get(0)).transpose().map_err(|cause| self.explain(cause))
        };
        let (least, mut newest) = (end("asc", None)?, end("desc", None)?);
        if let (Some(least), Some(newest)) = (&least, &newest)
            && class(least) != class(newest)
        {
            return Err(Error::usage(format!(
                "the cursor {cursor} holds values of different types, such as {} and {}",
                literal(least.into())?,
                literal(newest.into())?
            ))
            .next(
                "a cursor needs one order: convert it in a query, cast(... as text) as changed_at",
            ));
        }
        if let Some(Value::Text(mark)) = &newest
            && MarkKind::Timestamp.read(mark).is_some()
        {
            // A moment in the future would hide all that comes before it.
            let believed = MarkKind::Timestamp.not_after(mark.clone(), SystemTime::now());
            if believed != *mark {
                newest = end("desc", Some(&believed))?;
            }
        }
        let newest = newest.as_ref().map(|newest| literal(newest.into())).transpose()?;
        // There is only one writer at a time: what is not in the snapshot has not been written yet.
        Ok(known.clone().then(newest, Vec::new()))
    }
}

impl Server for Sqlite {
    type Session = SqliteSession;

    async fn open(&self, known: Option<&Marks>) -> Result<(SqliteSession, Option<Marks>)> {
        let connection = self.connect()?;
        let (query, key) = self.relation(&connection)?;
        let of_q = |name: &String| format!("q.{}", quoted(name));
        let reading = SqliteSession {
            connection,
            query,
            cursor: self.settings.cursor.as_ref().map(of_q),
            key: key.iter().map(of_q).collect(),
            key_names: key,
        };
        if let (Some(cursor), NullCursor::Refuse) = (&reading.cursor, self.settings.null_cursor) {
            let sql =
                format!("select 1 from (\n{}\n) q where {cursor} is null limit 1", reading.query);
            let found = reading.connection.prepare(&sql).and_then(|mut found| found.exists([]));
            if found.map_err(|cause| self.explain(cause))? {
                return Err(super::null_cursor_refused(cursor));
            }
        }
        let marks = known.map(|known| self.marks(&reading, known)).transpose()?;
        Ok((reading, marks))
    }

    /// A column holds whatever it is given, whatever it was declared to be.
    async fn declared(&self, reading: &mut SqliteSession) -> Result<Declared> {
        Ok(Declared { key: reading.key_names.clone(), ..Declared::default() })
    }

    async fn read(
        &self,
        reading: &mut SqliteSession,
        window: &RowWindow,
        out: &mut RowSender,
    ) -> Result<()> {
        let (sql, values) = self.statement(reading, window)?;
        let mut statement =
            reading.connection.prepare(&sql).map_err(|cause| self.explain(cause))?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let has_cursor = window.part == WindowPart::WithCursor;
        let places = reading.key.len() + usize::from(has_cursor);
        let width = names.len() - places;
        out.set_names(&names[..width].into()).await?;
        let mut rows =
            statement.query(params_from_iter(values)).map_err(|cause| self.explain(cause))?;
        while let Some(row) = rows.next().map_err(|cause| self.explain(cause))? {
            let record = record(row, &names[..width]).map_err(|cause| self.explain(cause))?;
            let mut place = Vec::with_capacity(places);
            for index in width..names.len() {
                let value = row.get_ref(index).map_err(|cause| self.explain(cause))?;
                place.push(match value {
                    ValueRef::Null => None,
                    value => Some(literal(value)?),
                });
            }
            let cursor = if has_cursor { place.remove(0) } else { None };
            out.push(record, cursor, place).await?;
        }
        Ok(())
    }
}
