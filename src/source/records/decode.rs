//! From the raw bytes to the content: plain, gzip or zstd.
//!
//! A compressed stream that stops in its middle is not an error here: it ends, and says
//! that it was cut. Damaged data is an error.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use serde::{Deserialize, Serialize};

use super::settings::CompressionChoice;

const RAW_BUFFER: usize = 128 * 1024;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Decides by the setting, else by the first bytes, which win over the name. The name
    /// counts only while there are too few bytes to tell: such a file was just begun.
    pub(in crate::source) fn detect(choice: CompressionChoice, name: &str, head: &[u8]) -> Self {
        match choice {
            CompressionChoice::None => Compression::None,
            CompressionChoice::Gzip => Compression::Gzip,
            CompressionChoice::Zstd => Compression::Zstd,
            CompressionChoice::Auto if head.starts_with(GZIP_MAGIC) => Compression::Gzip,
            CompressionChoice::Auto if head.starts_with(ZSTD_MAGIC) => Compression::Zstd,
            CompressionChoice::Auto => match Self::of_name(name) {
                Compression::Gzip if GZIP_MAGIC.starts_with(head) => Compression::Gzip,
                Compression::Zstd if ZSTD_MAGIC.starts_with(head) => Compression::Zstd,
                _ => Compression::None,
            },
        }
    }

    pub(in crate::source) fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }

    fn of_name(name: &str) -> Self {
        match name.rsplit('.').next() {
            Some("gz") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// The name without the suffix of its compression.
pub(super) fn content_name(name: &str) -> &str {
    [".gz", ".zst", ".zstd"]
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name)
}

/// Bytes as they are stored or come down the pipe, counted.
pub(in crate::source) struct Raw {
    input: Box<dyn Read + Send>,
    at: u64,
}

impl Raw {
    /// Bytes whose first one stands at `at`.
    pub(in crate::source) fn new(input: impl Read + Send + 'static, at: u64) -> Self {
        Raw {
            input: Box::new(input),
            at,
        }
    }

    /// How far the raw bytes have been read.
    fn position(&self) -> u64 {
        self.at
    }
}

impl Read for Raw {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buf)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Hands out the content.
pub(in crate::source) struct Decoder {
    codec: Codec,
    is_cut: bool,
}

enum Codec {
    Plain(Raw),
    Gzip(Box<Members>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Raw>>>),
    /// The stream was cut or failed; nothing more comes out of it.
    Over(u64),
}

impl Decoder {
    pub(in crate::source) fn new(compression: Compression, raw: Raw) -> io::Result<Self> {
        let codec = match compression {
            Compression::None => Codec::Plain(raw),
            Compression::Gzip => Codec::Gzip(Box::new(Members::new(BufReader::with_capacity(
                RAW_BUFFER, raw,
            )))),
            Compression::Zstd => {
                let mut reader = BufReader::with_capacity(RAW_BUFFER, raw);
                if reader.fill_buf()?.is_empty() {
                    // zstd takes nothing for a complete nothing; no writer ends a file so.
                    return Ok(Decoder {
                        codec: Codec::Over(0),
                        is_cut: true,
                    });
                }
                let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
                // As far as `zstd --long=31` goes.
                decoder.window_log_max(31)?;
                Codec::Zstd(Box::new(decoder))
            }
        };
        Ok(Decoder {
            codec,
            is_cut: false,
        })
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// How many raw bytes were taken.
    pub(super) fn raw_position(&self) -> u64 {
        match &self.codec {
            Codec::Plain(raw) => raw.position(),
            Codec::Gzip(members) => members.raw_position(),
            Codec::Zstd(decoder) => decoder.get_ref().get_ref().position(),
            Codec::Over(at) => *at,
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let outcome = match &mut self.codec {
                Codec::Plain(raw) => raw.read(buf),
                Codec::Gzip(members) => members.read(buf),
                Codec::Zstd(decoder) => decoder.read(buf),
                Codec::Over(_) => return Ok(0),
            };
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.codec = Codec::Over(self.raw_position());
                    self.is_cut = true;
                    return Ok(0);
                }
                other => return other,
            }
        }
    }
}

/// All members of a gzip file, one after the other, and the zeros that tapes and block
/// devices leave behind the last one.
struct Members {
    member: Option<GzDecoder<BufReader<Raw>>>,
}

impl Members {
    fn new(reader: BufReader<Raw>) -> Self {
        Members {
            member: Some(GzDecoder::new(reader)),
        }
    }

    fn raw_position(&self) -> u64 {
        self.member
            .as_ref()
            .map_or(0, |member| member.get_ref().get_ref().position())
    }
}

impl Read for Members {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else {
                return Ok(0);
            };
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let rest = member.get_mut();
            if !another_member(rest)? {
                return Ok(0);
            }
            self.member = self
                .member
                .take()
                .map(|done| GzDecoder::new(done.into_inner()));
        }
    }
}

/// Looks behind a finished member: nothing, padding, or the next one.
fn another_member(reader: &mut BufReader<Raw>) -> io::Result<bool> {
    let mut padding = false;
    loop {
        let bytes = reader.fill_buf()?;
        match bytes.iter().position(|byte| *byte != 0) {
            _ if bytes.is_empty() => return Ok(false),
            Some(0) if !padding && bytes[0] == GZIP_MAGIC[0] => return Ok(true),
            None => {
                padding = true;
                let len = bytes.len();
                reader.consume(len);
            }
            Some(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "bytes that are not gzip follow the end of the gzip stream",
                ));
            }
        }
    }
}
