//! Sends rows to the reader, in chunks, through a channel that is bounded by bytes.

use std::ops::Range;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::cursor::{Marks, RowPosition};
use crate::error::{Error, Result};
use crate::retry::Budget;

/// Bytes of rows that may wait to be read; the last row may exceed it.
const WAITING: usize = 16 << 20;
/// Rows are handed over in chunks of about this many bytes.
const CHUNK: usize = 256 << 10;
/// Chunks of small rows that may wait.
const CHUNKS: usize = 8;

/// A row as a JSON object.
pub(super) struct JsonRow {
    pub(super) payload: Vec<u8>,
    /// Where the values of the columns are in it, unless the server wrote it.
    pub(super) values: Vec<Range<usize>>,
}

/// A row and where it stands.
pub(super) struct PositionedRow {
    pub(super) record: JsonRow,
    pub(super) place: RowPosition,
}

/// What the reader is told, in order.
pub(super) enum RowEvent {
    /// The sweep has begun, and will leave this behind.
    Begun(Option<Marks>),
    Rows(RowChunk),
    Failed(Error),
    End,
}

pub(super) struct RowChunk {
    /// The columns of its rows.
    pub(super) names: Arc<[String]>,
    pub(super) rows: Vec<PositionedRow>,
    /// Connections that were lost on the way.
    pub(super) retried: u32,
    /// Its share of [`WAITING`].
    _share: OwnedSemaphorePermit,
}

/// Sends rows in order, and checks that their keys tell them apart.
pub(super) struct RowSender {
    events: mpsc::Sender<RowEvent>,
    room: Arc<Semaphore>,
    budget: Arc<Budget>,
    names: Arc<[String]>,
    rows: Vec<PositionedRow>,
    bytes: usize,
    retried: u32,
    after: Option<RowPosition>,
    /// No row of the window has come yet.
    is_fresh: bool,
}

impl RowSender {
    /// A sender of the rows after a place, and the receiver.
    pub(super) fn open(
        after: Option<RowPosition>,
        budget: &Arc<Budget>,
    ) -> (Self, mpsc::Receiver<RowEvent>) {
        let (events, receiver) = mpsc::channel(CHUNKS);
        let sender = RowSender {
            events,
            room: Arc::new(Semaphore::new(WAITING)),
            budget: Arc::clone(budget),
            names: Arc::default(),
            rows: Vec::new(),
            bytes: 0,
            retried: 0,
            after,
            is_fresh: true,
        };
        (sender, receiver)
    }

    /// For noticing that nobody listens any more.
    pub(super) fn listener(&self) -> mpsc::Sender<RowEvent> {
        self.events.clone()
    }

    /// The rows that follow have these columns.
    pub(super) async fn set_names(&mut self, names: &Arc<[String]>) -> Result<()> {
        if !Arc::ptr_eq(&self.names, names) {
            self.flush().await?;
            self.names = Arc::clone(names);
        }
        Ok(())
    }

    /// A window is being read, or read on after this place.
    pub(super) fn begin(&mut self) -> Option<RowPosition> {
        self.is_fresh = true;
        self.after.clone()
    }

    /// A window has come to its end.
    pub(super) fn end(&mut self) {
        self.after = None;
    }

    pub(super) fn count_retry(&mut self) {
        self.retried += 1;
    }

    /// Takes a row. `key` are the values of its key.
    pub(super) async fn push(
        &mut self,
        record: JsonRow,
        cursor: Option<String>,
        key: Vec<Option<String>>,
    ) -> Result<()> {
        let Some(key) = key.into_iter().collect::<Option<Vec<_>>>() else {
            return Err(Error::usage("a row of the source has a null in its key")
                .detail(String::from_utf8_lossy(&record.payload[..record.payload.len().min(300)]))
                .next(
                    "name columns as key that are never null, or leave such rows out by a query",
                ));
        };
        let place = RowPosition { cursor, key };
        let is_fresh = std::mem::replace(&mut self.is_fresh, false);
        if self.after.as_ref() == Some(&place) {
            if is_fresh {
                return Ok(());
            }
            return Err(Error::usage(format!(
                "two rows of the source have the key {}",
                serde_json::json!(place.key)
            ))
            .next("name columns as key that tell rows apart"));
        }
        self.bytes += record.payload.len() + size_of_val(&*record.values) + 64;
        self.after = Some(place.clone());
        self.rows.push(PositionedRow { record, place });
        if self.bytes >= CHUNK {
            self.flush().await?;
        }
        Ok(())
    }

    /// Hands over what has come.
    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let cost = u32::try_from(self.bytes.min(WAITING)).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.room).acquire_many_owned(cost).await;
        let share = share.map_err(|_| nobody_listens())?;
        let chunk = RowChunk {
            names: Arc::clone(&self.names),
            rows: std::mem::take(&mut self.rows),
            retried: std::mem::take(&mut self.retried),
            _share: share,
        };
        self.bytes = 0;
        self.budget.progressed();
        self.say(RowEvent::Rows(chunk)).await
    }

    pub(super) async fn say(&self, event: RowEvent) -> Result<()> {
        self.events.send(event).await.map_err(|_| nobody_listens())
    }
}

fn nobody_listens() -> Error {
    Error::failed("nobody reads the rows any more")
}
