//! From raw bytes to content: plain, gzip, zstd, bzip2 or xz.
//!
//! A truncated stream is no error here: it ends, and [`Decoder::is_truncated`] says so. Damaged data is one.

mod gzip;
mod threaded_reader;

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::bufread::MultiBzDecoder;
use lzma_rust2::XzReader;

use self::gzip::GzipMembers;
use self::threaded_reader::ThreadedReader;
use super::choice::Compression;

const RAW_BUFFER: usize = 128 * 1024;

/// Memory limit of an xz stream: `xz -9` needs up to 1.5 GiB for its largest dictionary.
const XZ_MEMORY_KIB: u32 = 2 << 20;

/// First bytes and file name suffixes of each kind of compression.
const SIGNATURES: [(Compression, &[u8], &[&str]); 4] = [
    (Compression::Gzip, &[0x1f, 0x8b], &[".gz"]),
    (Compression::Zstd, &[0x28, 0xb5, 0x2f, 0xfd], &[".zst", ".zstd"]),
    (Compression::Bzip2, b"BZh", &[".bz2"]),
    (Compression::Xz, b"\xfd7zXZ\0", &[".xz"]),
];

/// A skippable frame of zstd (RFC 8878, 3.1.2), with which pzstd begins its files.
fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Compression {
    /// How many bytes are enough to detect it.
    pub(crate) const MAGIC: u64 = 6;

    /// Decides by the setting, else by the first bytes. The name counts only while there are too few bytes
    /// to tell, in a file that was just created.
    pub(crate) fn detect(fixed: Option<Self>, name: &str, head: &[u8]) -> Self {
        fixed.unwrap_or_else(|| {
            // The magic of bzip2 goes on with a digit; a CSV header may begin with the letters alone.
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

    /// Whether more bytes are needed to decide.
    pub(crate) fn needs_more(head: &[u8]) -> bool {
        // One more for the digit of bzip2.
        let may_be = |magic: &[u8]| magic.len() >= head.len() && magic.starts_with(head);
        SIGNATURES.iter().any(|(_, magic, _)| may_be(magic))
    }

    /// The name of the compression that the first bytes show.
    pub(crate) fn detect_by_content(head: &[u8]) -> Option<&'static str> {
        let found = Self::detect(None, "", head);
        (found != Compression::None).then(|| found.name())
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
        }
    }
}

/// The name without its compression suffix.
pub(super) fn content_name(name: &str) -> &str {
    let mut suffixes = SIGNATURES.iter().flat_map(|(_, _, suffixes)| *suffixes);
    suffixes.find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// Raw bytes of a file, object or pipe, counted.
pub(crate) struct CountingReader {
    input: Box<dyn Read + Send>,
    at: Arc<AtomicU64>,
}

impl CountingReader {
    /// A reader whose first byte has the offset `at`.
    pub(crate) fn new(input: impl Read + Send + 'static, at: u64) -> Self {
        CountingReader { input: Box::new(input), at: Arc::new(AtomicU64::new(at)) }
    }
}

impl Read for CountingReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buf) {
                // Not every decoder can continue after this error.
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

/// A reader of the decompressed content.
pub(crate) struct Decoder {
    /// None after a truncated stream has ended.
    content: Option<Box<dyn Read + Send>>,
    /// How many raw bytes were consumed.
    raw_position: Arc<AtomicU64>,
    is_compressed: bool,
}

impl Decoder {
    pub(crate) fn new(compression: Compression, raw: CountingReader) -> io::Result<Self> {
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

    /// The same for an input that may be idle: reads then fail with [`io::ErrorKind::WouldBlock`] once a second.
    pub(crate) fn reporting_idle(mut self) -> io::Result<Self> {
        if let Some(content) = self.content.take() {
            self.content = Some(Box::new(ThreadedReader::new(content)?));
        }
        Ok(self)
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_truncated(&self) -> bool {
        self.content.is_none()
    }

    /// How many raw bytes were consumed.
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
            // zstd accepts empty input as a complete stream, though no writer produces it.
            Ok(0) if self.is_compressed && self.raw_position() == 0 => self.content = None,
            other => return other,
        }
        Ok(0)
    }
}
