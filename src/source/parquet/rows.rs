//! Reads a Parquet file row by row.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::file::reader::Length;

use super::blocks::Blocks;
use super::file::{ParquetFault, ParquetFile, guarded, rows_of};
use super::json::JsonRows;
use super::{MAGIC, Opened, Ranges};
use crate::error::{Error, Result};
use crate::source::BatchBuilder;
use crate::source::batch::{KEPT_OF_OVERSIZED, oversized};
use crate::source::records::{
    Compression, Content, ContentOffset, Format, HandedOut, ParserState, Position, ReadOutcome,
    RecordSettings, hex_sha256,
};
use crate::source::sqlstate::PROGRAM_LIMIT_EXCEEDED;

/// The magic and, before it, the length of the footer.
const TRAILER: u64 = 8;
const ENCRYPTED: &[u8] = b"PARE";

/// Opens the `noun` (file, object) called `name`, to continue from what is `known` of it.
pub(crate) fn open(
    noun: &'static str,
    name: &str,
    ranges: Arc<dyn Ranges>,
    settings: &RecordSettings,
    known: Option<&Position>,
) -> Result<Opened> {
    let failed = |cause: io::Error| unreadable(noun, name, cause);
    let size = ranges.size();
    if size < TRAILER + MAGIC.len() as u64 {
        return Ok(Opened::Unfinished(format!("it has {size} bytes, too few for any")));
    }
    let trailer = ranges.read(size - TRAILER..size).map_err(failed)?;
    let (len, magic) = trailer.split_at(4);
    if magic == ENCRYPTED {
        let next =
            "write it without encryption (where it rests the disk or the store can encrypt it)";
        return Err(
            Error::failed(format!("{noun} `{name}` is Parquet that is encrypted")).next(next)
        );
    }
    if magic != MAGIC {
        return Ok(Opened::Unfinished("it has no footer at its end".to_owned()));
    }
    let len = u64::from(u32::from_le_bytes(len.try_into().unwrap_or_default()));
    let Some(start) = (size - TRAILER).checked_sub(len) else {
        let what = format!("its footer would have {len} bytes");
        return Err(damaged(noun, name, &what));
    };
    let footer = ranges.read(start..size).map_err(failed)?;
    let anchor = hex_sha256(&footer);
    if known.is_some_and(|known| known.place.anchor != anchor) {
        return Ok(Opened::Changed("its footer is not the same as before".to_owned()));
    }
    let file = guarded(|| ParquetFile::new(&footer[..len as usize], settings));
    let file = file.map_err(|fault| match fault {
        ParquetFault::Damaged(what) => damaged(noun, name, &what),
        ParquetFault::Refused(what, next) => {
            Error::failed(format!("{noun} `{name}`: {what}")).next(next)
        }
    })?;
    let mut parquet = Parquet {
        noun,
        name: name.to_owned(),
        blocks: Blocks::new(ranges, file.columns()),
        total: file.metadata.row_groups().iter().map(rows_of).sum(),
        file,
        max: settings.max_record_bytes,
        anchor,
        anchor_bytes: footer.len() as u64,
        readers: Vec::new(),
        rows: None,
        at: 0,
        records: 0,
        counted: 0,
        taken: HandedOut::default(),
        is_damaged: false,
        payload: Vec::new(),
        values: Vec::new(),
    };
    if let Some(known) = known {
        parquet.records = known.place.records;
        parquet.counted = parquet.bytes();
        parquet.taken = HandedOut::of(known);
    }
    Ok(Opened::Content(Box::new(parquet)))
}

fn unreadable(noun: &str, name: &str, cause: io::Error) -> Error {
    // A source that knows more about it than the system has already said so.
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => Error::failed(format!("{noun} `{name}` cannot be read"))
            .caused_by(cause)
            .next("check the disk or the mount, then run again"),
    }
}

fn damaged(noun: &str, name: &str, what: &str) -> Error {
    Error::failed(format!("{noun} `{name}` is damaged Parquet"))
        .detail(what.to_owned())
        .next(format!("get a sound copy of the {noun}, then run again"))
}

/// A file being read.
struct Parquet {
    noun: &'static str,
    name: String,
    blocks: Blocks,
    file: ParquetFile,
    max: usize,
    anchor: String,
    anchor_bytes: u64,
    total: u64,
    /// The rows of the current row group.
    readers: Vec<ParquetRecordBatchReader>,
    rows: Option<JsonRows>,
    /// How many of these rows were read.
    at: usize,
    records: u64,
    counted: u64,
    taken: HandedOut,
    is_damaged: bool,
    payload: Vec<u8>,
    /// Ranges of its values.
    values: Vec<Range<usize>>,
}

impl Parquet {
    fn advance(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome, ParquetFault> {
        while self.records < self.total {
            if out.is_full() {
                return Ok(ReadOutcome::BatchFull);
            }
            match &self.rows {
                Some(rows) if self.at < rows.len() => {
                    rows.write(self.at, &mut self.payload, &mut self.values);
                    self.at += 1;
                    self.records += 1;
                    self.push(out);
                }
                _ => {
                    self.rows = guarded(|| self.decode())?;
                    self.at = 0;
                }
            }
        }
        Ok(ReadOutcome::EndOfInput)
    }

    fn push(&self, out: &mut BatchBuilder) {
        let position = i64::try_from(self.records).unwrap_or(i64::MAX);
        let size = self.payload.len();
        if size <= self.max {
            return out.push_object(position, &self.payload, &self.file.names, &self.values);
        }
        let kept = self.payload[..size.min(KEPT_OF_OVERSIZED)].to_vec();
        let message = oversized(size as u64, "bytes as JSON", self.max, kept.len());
        out.push_unreadable(position, kept, PROGRAM_LIMIT_EXCEEDED, message);
    }

    /// The next rows.
    fn decode(&mut self) -> Result<Option<JsonRows>, ParquetFault> {
        let Some((group, before)) = self.file.group_of(self.records) else {
            return Ok(None);
        };
        if self.readers.is_empty() {
            self.readers = self.file.readers(&self.blocks, group, before)?;
        }
        let next = |reader: &mut ParquetRecordBatchReader| reader.next().transpose();
        let batches: Result<Vec<_>, _> = self.readers.iter_mut().map(next).collect();
        let batches = batches
            .map_err(|error| ParquetFault::Damaged(format!("row group {group}: {error}")))?
            .into_iter()
            .collect::<Option<Vec<_>>>();
        match batches {
            Some(batches) => {
                let last = self.records + batches.first().map_or(0, |b| b.num_rows() as u64);
                if self.file.group_of(last).map(|(group, _)| group) != Some(group) {
                    self.readers.clear();
                }
                self.file.rows(&batches)
            }
            None => Err(ParquetFault::Damaged(format!(
                "row group {group} has fewer rows than the footer says"
            ))),
        }
    }

    /// Bytes of the rows that were read as records, estimated.
    fn bytes(&self) -> u64 {
        if self.records == self.total {
            return self.blocks.len();
        }
        let groups = self.file.metadata.row_groups();
        let size = |i: usize| u64::try_from(groups[i].compressed_size()).unwrap_or_default();
        let Some((group, before)) = self.file.group_of(self.records) else {
            return 0;
        };
        let part =
            u128::from(size(group)) * u128::from(before) / u128::from(rows_of(&groups[group]));
        (0..group).map(size).sum::<u64>() + u64::try_from(part).unwrap_or_default()
    }
}

impl Content for Parquet {
    fn name(&self) -> &str {
        &self.name
    }

    fn read_into(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome> {
        out.declare(&self.file.declared);
        let progress = self.advance(out);
        let read = self.bytes();
        out.consume(read.saturating_sub(self.counted));
        self.counted = self.counted.max(read);
        progress.map_err(|fault| match (self.blocks.failure(), fault) {
            (Some(cause), _) => unreadable(self.noun, &self.name, cause),
            (None, ParquetFault::Refused(what, next)) => {
                Error::failed(format!("{} `{}`: {what}", self.noun, self.name)).next(next)
            }
            (None, ParquetFault::Damaged(what)) => {
                self.is_damaged = true;
                damaged(self.noun, &self.name, &what)
            }
        })
    }

    fn position(&self) -> Position {
        Position {
            place: ContentOffset {
                bytes: self.bytes(),
                records: self.records,
                line: 1,
                anchor: self.anchor.clone(),
                anchor_bytes: self.anchor_bytes,
            },
            parser: ParserState::default(),
            format: Some(Format::Parquet),
            compression: Compression::None,
            tail: None,
            batches: self.taken.batches,
        }
    }

    fn progress(&self) -> (u64, u64) {
        (self.bytes(), self.records)
    }

    fn raw_position(&self) -> u64 {
        // Whatever is read is found by the footer, which is behind it.
        self.blocks.len()
    }

    fn is_done(&self) -> bool {
        self.records == self.total
    }

    fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    fn is_handed_out(&self) -> bool {
        self.taken.batches > 0
    }

    fn count_batch(&mut self) {
        self.taken.count(self.records);
    }

    fn explain_damage(&self, error: Error) -> Error {
        match self.is_damaged {
            true => self.taken.explain_damage(error, &self.name),
            false => error,
        }
    }
}
