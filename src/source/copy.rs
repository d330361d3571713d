//! Rows in the binary format of COPY.

use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
const NULL: i32 = -1;

/// Rows, field by field.
#[derive(Debug)]
pub(crate) struct CopyRows(BytesMut);

impl CopyRows {
    pub(crate) fn new() -> Self {
        let mut data = buffer();
        data.put_slice(HEADER);
        CopyRows(data)
    }

    /// Begins a row, followed by this many fields.
    pub(crate) fn row(&mut self, fields: i16) {
        self.0.put_i16(fields);
    }

    pub(crate) fn int4(&mut self, value: i32) {
        self.0.put_i32(4);
        self.0.put_i32(value);
    }

    pub(crate) fn int8(&mut self, value: i64) {
        self.0.put_i32(8);
        self.0.put_i64(value);
    }

    /// A field of any type whose binary form these bytes are: text, bytea, uuid. Says where they
    /// stand.
    pub(crate) fn bytes(&mut self, value: &[u8]) -> Range<usize> {
        self.0.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
        let start = self.0.len();
        self.0.put_slice(value);
        start..self.0.len()
    }

    pub(crate) fn null(&mut self) {
        self.0.put_i32(NULL);
    }

    pub(crate) fn get(&self, span: Range<usize>) -> &[u8] {
        &self.0[span]
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back all but the first `len` bytes.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub(crate) fn finish(mut self) -> Bytes {
        self.0.put_i16(TRAILER);
        shared(self.0)
    }
}

/// Buffers of finished batches. Filling them again costs less than fresh memory, every page of which has to
/// be cleared first, and leaves no holes.
static SPARE: Mutex<Vec<BytesMut>> = Mutex::new(Vec::new());
/// Spare buffers, and how large one may be: more than batches take at once, unless they are huge.
const MOST: usize = 12;
const LARGEST: usize = 16 << 20;

/// An empty buffer for a batch.
pub(crate) fn buffer() -> BytesMut {
    let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    spare.unwrap_or_else(|| BytesMut::with_capacity(64 * 1024))
}

/// A buffer that is full. When nobody needs it any more it is spare.
pub(crate) fn shared(data: BytesMut) -> Bytes {
    Bytes::from_owner(PooledBuffer(data))
}

struct PooledBuffer(BytesMut);

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST && self.0.capacity() <= LARGEST {
            let mut data = std::mem::take(&mut self.0);
            data.clear();
            spare.push(data);
        }
    }
}
