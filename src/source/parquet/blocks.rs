//! Reads a file or an object at any place, and keeps some blocks.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::Ranges;

/// What may be kept.
const KEPT: u64 = 32 << 20;
/// What is read at once.
const BLOCKS: Range<u64> = 64 << 10..4 << 20;

/// Reads in blocks, the last of which are kept: each column is read piece by piece at a place of
/// its own.
#[derive(Clone)]
pub(super) struct Blocks {
    ranges: Arc<dyn Ranges>,
    block: u64,
    most: usize,
    kept: Arc<Mutex<VecDeque<(u64, Bytes)>>>,
    /// Why bytes could not be read: the library keeps only the words of an error.
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Blocks {
    /// For this many `columns` that are read side by side.
    pub(super) fn new(ranges: Arc<dyn Ranges>, columns: usize) -> Self {
        let places = columns as u64 + 1;
        Blocks {
            ranges,
            block: (KEPT / places).clamp(BLOCKS.start, BLOCKS.end),
            most: columns + 2,
            kept: Arc::default(),
            failure: Arc::default(),
        }
    }

    /// Why bytes could not be read, if that was the reason.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.ranges.read(range).map_err(|cause| {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            *failure = Some(cause);
            io::Error::other("bytes could not be had")
        })
    }

    /// The block with the byte at `place`, and where it begins.
    fn block(&self, place: u64) -> io::Result<(u64, Bytes)> {
        let start = place - place % self.block;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(known, _)| *known == start)
            && let Some(found) = kept.remove(at)
        {
            kept.push_front(found.clone());
            return Ok(found);
        }
        kept.truncate(self.most.saturating_sub(1));
        let end = self.ranges.size().min(start + self.block);
        let found = (start, self.read(start..end)?);
        kept.push_front(found.clone());
        Ok(found)
    }

    /// The bytes available from `place` on.
    fn from(&self, place: u64) -> io::Result<Bytes> {
        if place >= self.ranges.size() {
            return Ok(Bytes::new());
        }
        let (start, block) = self.block(place)?;
        Ok(block.slice((place - start) as usize..))
    }
}

impl Length for Blocks {
    fn len(&self) -> u64 {
        self.ranges.size()
    }
}

impl ChunkReader for Blocks {
    type T = BlockReader;

    fn get_read(&self, start: u64) -> Result<BlockReader> {
        Ok(BlockReader { blocks: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.ranges.size() {
            return Err(ParquetError::EOF(format!(
                "bytes {start} to {end} are asked for, and there are {}",
                self.ranges.size()
            )));
        }
        if length as u64 > self.block {
            return Ok(self.read(start..end)?);
        }
        let first = self.from(start)?;
        if first.len() >= length {
            return Ok(first.slice(..length));
        }
        let mut all = BytesMut::with_capacity(length);
        all.extend_from_slice(&first);
        let rest = self.from(start + first.len() as u64)?;
        all.extend_from_slice(&rest[..rest.len().min(length - first.len())]);
        match all.len() == length {
            true => Ok(all.freeze()),
            false => Ok(self.read(start..end)?),
        }
    }
}

/// Reads on from some place.
pub(super) struct BlockReader {
    blocks: Blocks,
    at: u64,
}

impl Read for BlockReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let found = self.blocks.from(self.at)?;
        let n = found.len().min(buf.len());
        buf[..n].copy_from_slice(&found[..n]);
        self.at += n as u64;
        Ok(n)
    }
}
