//! Content that is being read, for sources that do not care about its format.

use super::position::Position;
use crate::error::{Error, Result};
use crate::source::BatchBuilder;

/// The content of a file or object on its way into batches, up to its end.
pub(in crate::source) trait Content: Send {
    fn name(&self) -> &str;

    /// Adds records to `out` until it is full or the input ends.
    fn read_into(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome>;

    /// Where reading of the input can continue.
    fn position(&self) -> Position;

    /// How much of the content has been made into records, and into how many.
    fn progress(&self) -> (u64, u64);

    /// How far the raw bytes have been read.
    fn raw_position(&self) -> u64;

    /// Whether batches before the current one contain records of it.
    fn is_handed_out(&self) -> bool;

    /// Whether the input was read to what proved to be its end.
    fn is_done(&self) -> bool;

    /// Whether the rest of it has to be read again, from [`Content::position`] on.
    fn is_to_be_reopened(&self) -> bool {
        false
    }

    /// Whether reading failed because the content is damaged: what came of it since the last batch may be
    /// anything.
    fn is_damaged(&self) -> bool;

    /// Notes that a batch takes what was read so far.
    fn count_batch(&mut self);

    /// Adds to a failure what was made of the input before.
    fn explain_damage(&self, error: Error) -> Error;

    /// What the user should know about the content.
    fn note(&self) -> Option<String>;

    /// What the user should know about how the input ended.
    fn remark(&self) -> Option<String>;
}

/// What batches before the current one took of an input.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::source) struct HandedOut {
    pub(in crate::source) batches: u64,
    records: u64,
}

impl HandedOut {
    /// What batches of earlier runs took.
    pub(in crate::source) fn of(position: &Position) -> Self {
        HandedOut {
            batches: position.batches,
            records: position.place.records,
        }
    }

    pub(in crate::source) fn count(&mut self, records: u64) {
        if records > self.records {
            self.batches += 1;
            self.records = records;
        }
    }

    /// Adds to an error about damage what else may be damaged.
    pub(in crate::source) fn explain_damage(self, error: Error, name: &str) -> Error {
        let batches = match self.batches {
            0 => return error,
            1 => "1 batch before this one has".to_owned(),
            n => format!("{n} batches before this one have"),
        };
        error.detail(format!(
            "{batches} committed its first {} records, which may be damaged, too; with a sound copy in its place: \
             sluice rewind PIPELINE --object {name}",
            self.records
        ))
    }
}

/// Whether there is more to come from an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum ReadOutcome {
    BatchFull,
    EndOfInput,
}
