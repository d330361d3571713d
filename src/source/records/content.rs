//! Content being read, whatever its format.

use super::position::Position;
use crate::error::{Error, Result};
use crate::source::BatchBuilder;

/// The content of a file or object, read into batches up to its end.
pub(crate) trait Content: Send {
    fn name(&self) -> &str;

    /// Adds records to `out` until it is full or the input ends.
    fn read_into(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome>;

    /// From where reading can be resumed.
    fn position(&self) -> Position;

    /// Bytes of content read as records, and the number of records.
    fn progress(&self) -> (u64, u64);

    /// Offset in the raw bytes, which may be compressed.
    fn raw_position(&self) -> u64;

    /// Whether earlier batches contain records of it.
    fn is_handed_out(&self) -> bool;

    /// Whether the input was read to what proved to be its end.
    fn is_done(&self) -> bool;

    /// Whether the rest of it has to be read again, from [`Content::position`] on.
    fn is_to_be_reopened(&self) -> bool {
        false
    }

    /// Whether reading failed because the content is damaged; records since the last batch cannot be trusted.
    fn is_damaged(&self) -> bool;

    /// Counts a batch that ends here.
    fn count_batch(&mut self);

    /// Adds to an error how much of damaged content was committed before.
    fn explain_damage(&self, error: Error) -> Error;

    /// A note for the user about the content.
    fn note(&self) -> Option<String> {
        None
    }

    /// A note for the user about how the input ended.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// What earlier batches took of an input.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HandedOut {
    pub(crate) batches: u64,
    records: u64,
}

impl HandedOut {
    /// What earlier runs took.
    pub(crate) fn of(position: &Position) -> Self {
        HandedOut { batches: position.batches, records: position.place.records }
    }

    pub(crate) fn count(&mut self, records: u64) {
        if records > self.records {
            self.batches += 1;
            self.records = records;
        }
    }

    /// Adds to an error about damage that committed records may be damaged, too.
    pub(crate) fn explain_damage(self, error: Error, name: &str) -> Error {
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

/// Why reading returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    BatchFull,
    EndOfInput,
}
