//! From the raw bytes to the content: plain, or as gzip, zstd, bzip2 and xz unpack it.
//!
//! A compressed stream that stops in its middle is not an error here: it ends, and says
//! that it was cut. Damaged data is an error.

mod gzip;
mod threaded_reader;

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::MultiBzDecoder;
use lzma_rust2::XzReader;

use self::gzip::GzipMembers;
use self::threaded_reader::ThreadedReader;
use super::choice::{Compression, CompressionChoice};

const RAW_BUFFER: usize = 128 * 1024;

/// How much memory an xz stream may ask for at its beginning: 1.5 GiB is the most that `xz` itself makes
/// use of.
const XZ_MEMORY_KIB: u32 = 2 << 20;

/// How the kinds of compression are told: by their first bytes, and suffixes of names.
const SIGNATURES: [(Compression, &[u8], &[&str]); 4] = [
    (Compression::Gzip, &[0x1f, 0x8b], &[".gz"]),
    (
        Compression::Zstd,
        &[0x28, 0xb5, 0x2f, 0xfd],
        &[".zst", ".zstd"],
    ),
    (Compression::Bzip2, b"BZh", &[".bz2"]),
    (Compression::Xz, b"\xfd7zXZ\0", &[".xz"]),
];

/// Whether a zstd file begins with a frame to be skipped (RFC 8878, 3.1.2), as those do that several threads wrote.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Compression {
    /// How many bytes tell it.
    pub(in crate::source) const MAGIC: u64 = 6;

    /// Decides by the setting, else by the first bytes, which win over the name. The name
    /// counts only while there are too few bytes to tell: such a file was just begun.
    pub(in crate::source) fn detect(choice: CompressionChoice, name: &str, head: &[u8]) -> Self {
        choice.fixed().unwrap_or_else(|| {
            // Behind the letters of bzip2 there is a digit; a header may begin with them.
            let digit = head.get(3).is_none_or(u8::is_ascii_digit);
            let found = SIGNATURES.iter().find(|(compression, magic, suffixes)| {
                let may_be = suffixes.iter().any(|suffix| name.ends_with(suffix));
                let is_it =
                    head.starts_with(magic) && (digit || *compression != Compression::Bzip2);
                let is_skipped = *compression == Compression::Zstd && is_skippable(head);
                is_it || is_skipped || (may_be && magic.starts_with(head))
            });
            found.map_or(Compression::None, |(compression, ..)| *compression)
        })
    }

    /// Whether it takes more than these first bytes to tell.
    pub(in crate::source) fn needs_more(head: &[u8]) -> bool {
        // One more for the digit of bzip2.
        let may_be = |magic: &[u8]| magic.len() >= head.len() && magic.starts_with(head);
        SIGNATURES.iter().any(|(_, magic, _)| may_be(magic))
    }

    /// The name of the kind by which content is compressed, as its first bytes tell.
    pub(in crate::source) fn detect_by_content(head: &[u8]) -> Option<&'static str> {
        let found = Self::detect(CompressionChoice::Auto, "", head);
        (found != Compression::None).then(|| found.name())
    }

    pub(in crate::source) fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }
}

/// The name without the suffix of its compression.
pub(super) fn content_name(name: &str) -> &str {
    let mut suffixes = SIGNATURES.iter().flat_map(|(_, _, suffixes)| *suffixes);
    suffixes
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// Bytes as they are stored or come down the pipe, counted.
pub(in crate::source) struct CountingReader {
    input: Box<dyn Read + Send>,
    at: Arc<AtomicU64>,
}

impl CountingReader {
    /// Bytes whose first one is at `at`.
    pub(in crate::source) fn new(input: impl Read + Send + 'static, at: u64) -> Self {
        CountingReader {
            input: Box::new(input),
            at: Arc::new(AtomicU64::new(at)),
        }
    }
}

impl Read for CountingReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buf) {
                // Not every decoder continues after one.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(n) => {
                    self.at.fetch_add(n as u64, Ordering::Relaxed);
                    return Ok(n);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Hands out the content.
pub(in crate::source) struct Decoder {
    /// None once the stream was cut: nothing more comes out of it.
    content: Option<Box<dyn Read + Send>>,
    /// How many raw bytes were taken.
    raw_position: Arc<AtomicU64>,
    is_compressed: bool,
}

impl Decoder {
    pub(in crate::source) fn new(
        compression: Compression,
        raw: CountingReader,
    ) -> io::Result<Self> {
        let raw_position = Arc::clone(&raw.at);
        let buffered = |raw| BufReader::with_capacity(RAW_BUFFER, raw);
        let content: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(GzipMembers::new(buffered(raw))),
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(raw))?;
                // As far as `zstd --long=31` goes.
                decoder.window_log_max(31)?;
                Box::new(decoder)
            }
            Compression::Bzip2 => Box::new(MultiBzDecoder::new(buffered(raw))),
            Compression::Xz => {
                Box::new(XzReader::new_mem_limit(buffered(raw), true, XZ_MEMORY_KIB))
            }
        };
        Ok(Decoder {
            content: Some(content),
            raw_position,
            is_compressed: compression != Compression::None,
        })
    }

    /// The same for an input that may be silent, which says so: [`io::ErrorKind::WouldBlock`].
    pub(in crate::source) fn reporting_idle(mut self) -> io::Result<Self> {
        if let Some(content) = self.content.take() {
            self.content = Some(Box::new(ThreadedReader::new(content)?));
        }
        Ok(self)
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_truncated(&self) -> bool {
        self.content.is_none()
    }

    /// How many raw bytes were taken.
    pub(super) fn raw_position(&self) -> u64 {
        self.raw_position.load(Ordering::Relaxed)
    }
}

impl Read for Decoder {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else {
            return Ok(0);
        };
        match content.read(buf) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.content = None,
            // zstd takes nothing for a complete empty stream; no writer ends a file that way.
            Ok(0) if self.is_compressed && self.raw_position() == 0 => self.content = None,
            other => return other,
        }
        Ok(0)
    }
}
