//! Where records come from.
//!
//! A source is a plain blocking producer of [`Batch`]es that runs on a thread of its own.
//! It knows nothing of Postgres: it slices raw payloads out of its input and says, with
//! every batch, where reading must resume once that batch is committed. Whatever it read
//! ahead of the last commit is simply read again after a crash.

mod batch;
pub mod file;
mod records;

pub(crate) use batch::COPY_HEADER;
pub use batch::{Batch, BatchBuilder, Limits, ObjectState, OriginSpan, Unreadable};

use crate::error::{Error, Result};
use serde_json::Value;

/// A producer of batches, in the order in which they must be committed.
pub trait Source: Send {
    /// The next batch, or `None` when the source has nothing more for this run.
    ///
    /// A batch never crosses the limits by more than the record that filled it.
    fn next_batch(&mut self) -> Result<Option<Batch>>;

    /// How many bytes of input this run has in all, if that can be known (for the
    /// progress bar and the time left).
    fn total_bytes(&self) -> Option<u64> {
        None
    }

    /// Remarks for the user at the end of a run, one a line: a file that ends inside a
    /// record, for instance.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens the source that `settings` describe, going on from what is `known` of its objects.
pub fn open(settings: &Value, known: Vec<ObjectState>, limits: Limits) -> Result<Box<dyn Source>> {
    match settings["kind"].as_str() {
        Some("file") => Ok(Box::new(file::FileSource::open(settings, known, limits)?)),
        _ => Err(Error::usage(format!("unknown source {settings}"))
            .next("this binary reads the kind \"file\"")),
    }
}
