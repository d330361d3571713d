//! The contract between the driver and a source.

use serde_json::Value;

use super::BatchBuilder;
use crate::error::Result;

/// Where records come from: a plain blocking reader that runs on a thread of its own.
///
/// It reads **units**: files, objects, pages. Nothing counts as read without the [`Proof`] at the end of
/// its unit. Whatever it read beyond the last commit is simply read again after a crash.
pub trait Source: Send {
    /// Adds records to `out` until it is full or a unit ends. If it is full already, only checks whether
    /// there is more.
    ///
    /// If this fails, the records in `out` are sound and committed first; the source is not read again.
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress>;

    /// Up to where the source has been read; none if that has not changed.
    fn cursor(&self) -> Option<Value>;

    /// Whether what is read next are the very first records, if the source can know.
    fn is_at_start(&self) -> bool {
        false
    }

    /// How many bytes of input this run has in all, if that is known (for the progress bar and the time
    /// left).
    fn total_bytes(&self) -> Option<u64> {
        None
    }
}

/// How far [`Source::read`] came.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The batch is full, and there is more.
    Full,
    /// A unit ended; others may follow.
    UnitEnded(Proof),
    /// There is nothing more for this run.
    End(Proof),
}

/// What a source knows about the end of a unit, or about its own end.
#[derive(Debug, PartialEq, Eq)]
pub enum Proof {
    /// It was read to what is provably its end.
    Complete,
    /// It was not.
    Partial(Reason),
}

/// Why a unit, or all of them, cannot be called complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Reason {
    /// The source offers more than can be read today: `name` says of what, and `why`.
    Waiting {
        /// The file, object or address.
        name: String,
        /// What stands in the way.
        why: String,
    },
    /// This read cannot tell what the source no longer has.
    Inconclusive(String),
}
