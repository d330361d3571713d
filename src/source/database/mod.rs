//! Records from databases: rows of a table or a query, as JSON.
//!
//! A **sweep** reads all rows that it asks for, in the order of a cursor and a key, or of the key
//! alone; from one snapshot, so that it sees one state of the data. What was read last is in the
//! pipeline's cursor, committed with the records it stands for, so that a run which was killed, or
//! lost its connection, goes on behind it. With a cursor, a sweep asks for what is not older than
//! a mark; which mark is safe, so that nothing committed late is missed, see [`cursor::Marks`].
//!
//! | module | |
//! |---|---|
//! | [`settings`], [`cursor`] | what is read, and how far |
//! | [`reread`] | reads rows again, whatever the cursor says: for `verify --source` |
//! | [`fetch`], [`row_sender`] | fetch rows ahead of the reader, and reconnect |
//! | [`postgres`], `mysql`, `sqlite` | the [`fetch::Server`]s: connection, snapshot, order, values as text |
//! | `json` | makes the JSON, where the server cannot |

mod cursor;
mod fetch;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod json;
#[cfg(feature = "mysql")]
mod mysql;
mod postgres;
mod reread;
mod row_sender;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;

use serde_json::Value;

use self::cursor::{DatabaseCursor, DatabaseDone, DatabaseSweep, Marks, sweep_after};
use self::fetch::RowFetcher;
pub(crate) use self::reread::{
    DigestedBatch, RecordDigest, RepairSource, RereadRequest, Rereader, next_run_reads_from,
};
use self::row_sender::{JsonRow, PositionedRow, RowChunk, RowEvent};
use self::settings::{DatabaseSettings, ServerKind};
use crate::error::{Error, Result};
use crate::source::batch::oversized;
use crate::source::sqlstate::PROGRAM_LIMIT_EXCEEDED;
use crate::source::{BatchBuilder, Declared, Progress, Proof, Source, SourceContext, Start};

/// The source that reads databases.
pub struct DatabaseSource {
    settings: DatabaseSettings,
    context: SourceContext,
    sweep: DatabaseSweep,
    /// The marks that the previous sweep left, until this one has begun.
    known: Option<Marks>,
    fetcher: Option<RowFetcher>,
    rows: std::vec::IntoIter<PositionedRow>,
    /// What the current rows are charged to.
    chunk: Option<RowChunk>,
    is_over: bool,
    /// Of the records that were read, if wanted.
    digests: Option<Vec<RecordDigest>>,
}

/// Connects, and looks for the table or query, its key and its cursor.
pub(super) async fn preflight(value: &Value, context: &SourceContext) -> Result<String> {
    async fn open(server: impl fetch::Server) -> Result<()> {
        server.open(None).await.map(drop)
    }
    let settings = &DatabaseSettings::parse(value)?;
    match settings.kind {
        ServerKind::Postgres => open(postgres::Postgres::new(settings, context)?).await?,
        #[cfg(feature = "mysql")]
        ServerKind::MySql => open(mysql::MySql::new(settings, context)?).await?,
        #[cfg(feature = "sqlite")]
        ServerKind::Sqlite => open(sqlite::Sqlite::new(settings, context)?).await?,
        #[cfg(not(all(feature = "mysql", feature = "sqlite")))]
        kind => return Err(not_built(kind)),
    }
    Ok(format!("may read {} there", settings.origin()))
}

/// The columns of the table or query, and its key.
pub(super) async fn declared(value: &Value, context: &SourceContext) -> Result<Declared> {
    async fn ask(server: impl fetch::Server) -> Result<Declared> {
        let (mut session, _) = server.open(None).await?;
        server.declared(&mut session).await
    }
    let settings = &DatabaseSettings::parse(value)?;
    match settings.kind {
        ServerKind::Postgres => ask(postgres::Postgres::new(settings, context)?).await,
        #[cfg(feature = "mysql")]
        ServerKind::MySql => ask(mysql::MySql::new(settings, context)?).await,
        #[cfg(feature = "sqlite")]
        ServerKind::Sqlite => ask(sqlite::Sqlite::new(settings, context)?).await,
        #[cfg(not(all(feature = "mysql", feature = "sqlite")))]
        kind => Err(not_built(kind)),
    }
}

#[cfg(not(all(feature = "mysql", feature = "sqlite")))]
fn not_built(kind: ServerKind) -> Error {
    let feature = format!("{kind:?}").to_lowercase();
    Error::usage(format!(
        "the source is of the kind {feature}, and this binary was built without it"
    ))
    .next(format!("build it with the feature `{feature}`, which is on by default"))
}

impl DatabaseSource {
    /// A source for the pipeline's `settings`, which continues from where `start` says. Nothing is asked of
    /// the server before the first batch is.
    pub fn open(value: &Value, start: &Start, context: &SourceContext) -> Result<Self> {
        let settings = DatabaseSettings::parse(value)?;
        let cursor = DatabaseCursor::parse(start.cursor.as_ref())?;
        // A range is read in one sweep.
        let is_over = settings.range.is_some() && matches!(cursor, Some(DatabaseCursor::Done(_)));
        let (sweep, known, remark) =
            sweep_after(cursor, &settings, DatabaseSettings::fingerprint(value));
        if let Some(remark) = remark {
            context.remarks.add(remark);
        }
        Ok(DatabaseSource {
            settings,
            context: context.clone(),
            sweep,
            known,
            fetcher: None,
            rows: Vec::new().into_iter(),
            chunk: None,
            is_over,
            digests: None,
        })
    }

    fn next_event(&mut self) -> Result<RowEvent> {
        if self.fetcher.is_none() {
            self.fetcher = Some(self.fetch()?);
        }
        match self.fetcher.as_mut().map(RowFetcher::next) {
            Some(RowEvent::Failed(error)) => Err(error),
            Some(event) => Ok(event),
            None => Ok(RowEvent::End),
        }
    }

    fn fetch(&mut self) -> Result<RowFetcher> {
        let (settings, sweep, context) = (&self.settings, &self.sweep, &self.context);
        let known = self.known.take();
        match settings.kind {
            ServerKind::Postgres => {
                let server = postgres::Postgres::new(settings, context)?;
                RowFetcher::start(server, settings, sweep, known, context)
            }
            #[cfg(feature = "mysql")]
            ServerKind::MySql => {
                let server = mysql::MySql::new(settings, context)?;
                RowFetcher::start(server, settings, sweep, known, context)
            }
            #[cfg(feature = "sqlite")]
            ServerKind::Sqlite => {
                let server = sqlite::Sqlite::new(settings, context)?;
                RowFetcher::start(server, settings, sweep, known, context)
            }
            #[cfg(not(all(feature = "mysql", feature = "sqlite")))]
            kind => Err(not_built(kind)),
        }
    }

    fn push(&mut self, row: PositionedRow, out: &mut BatchBuilder) {
        let PositionedRow { record, place } = row;
        let JsonRow { mut payload, values } = record;
        self.sweep.records += 1;
        if let Some(digests) = &mut self.digests {
            digests.push(RecordDigest::of(&place, &payload));
        }
        self.sweep.after = Some(place);
        let position = i64::try_from(self.sweep.records).unwrap_or(i64::MAX);
        let (size, max) = (payload.len(), self.settings.max_record_bytes);
        out.consume(size as u64);
        if size <= max {
            return match &self.chunk {
                Some(chunk) => out.push_object(position, &payload, &chunk.names, &values),
                None => out.push(position, &payload),
            };
        }
        payload.truncate(max);
        let message = oversized(size as u64, "bytes", max, max);
        out.push_unreadable(position, payload, PROGRAM_LIMIT_EXCEEDED, message);
    }
}

impl Source for DatabaseSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(self.settings.origin());
        loop {
            if self.is_over {
                return Ok(Progress::End(Proof::Complete));
            }
            // Look for the end even with a full batch, to spare a batch that only reports it.
            if !self.rows.as_slice().is_empty() && out.is_full() {
                return Ok(Progress::Full);
            }
            if let Some(row) = self.rows.next() {
                self.push(row, out);
                continue;
            }
            self.chunk = None;
            match self.next_event()? {
                RowEvent::Begun(marks) => self.sweep.then = marks,
                RowEvent::Rows(mut chunk) => {
                    out.count_retries(chunk.retried);
                    self.rows = std::mem::take(&mut chunk.rows).into_iter();
                    self.chunk = Some(chunk);
                }
                RowEvent::End => self.is_over = true,
                RowEvent::Failed(error) => return Err(error),
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        let cursor = match self.is_over {
            false => DatabaseCursor::Sweeping(self.sweep.clone()),
            true => {
                DatabaseCursor::Done(DatabaseDone { done: true, marks: self.sweep.then.clone() })
            }
        };
        Some(cursor.to_json())
    }

    fn is_at_start(&self) -> bool {
        self.sweep.after.is_none() && !self.is_over
    }
}

/// What is said if rows without a cursor are not wanted.
fn null_cursor_refused(cursor: &str) -> Error {
    Error::usage(format!(
        "the source has rows in which the cursor {cursor} is null"
    ))
    .next("mend them, leave them out by a query, or say null_cursor => 'read': they are read in each run then")
}
