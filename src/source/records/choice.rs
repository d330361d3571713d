//! Settings with a fixed set of values.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

/// How records stand in the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum Format {
    Ndjson,
    Json,
    Csv,
    Tsv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum FormatChoice {
    #[default]
    Auto,
    Ndjson,
    Json,
    Csv,
    Tsv,
    Parquet,
}

impl FormatChoice {
    pub(in crate::source) fn fixed(self) -> Option<Format> {
        match self {
            FormatChoice::Auto => None,
            FormatChoice::Ndjson => Some(Format::Ndjson),
            FormatChoice::Json => Some(Format::Json),
            FormatChoice::Csv => Some(Format::Csv),
            FormatChoice::Tsv => Some(Format::Tsv),
            FormatChoice::Parquet => Some(Format::Parquet),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum CompressionChoice {
    #[default]
    Auto,
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl CompressionChoice {
    pub(super) fn fixed(self) -> Option<Compression> {
        match self {
            CompressionChoice::Auto => None,
            CompressionChoice::None => Some(Compression::None),
            CompressionChoice::Gzip => Some(Compression::Gzip),
            CompressionChoice::Zstd => Some(Compression::Zstd),
            CompressionChoice::Bzip2 => Some(Compression::Bzip2),
            CompressionChoice::Xz => Some(Compression::Xz),
        }
    }
}

/// What to do with a file or object whose content is not what it was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum OnReplace {
    #[default]
    Error,
    Reload,
}

/// An encoding by one of its names. The engine knows which ones a pipeline may use.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::source) struct EncodingName(&'static Encoding);

impl TryFrom<String> for EncodingName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        EncodingName::find(&name).ok_or_else(|| {
            format!("unknown encoding `{name}`: utf-8, windows-1252 and utf-16le are some")
        })
    }
}

impl EncodingName {
    pub(super) fn find(name: &str) -> Option<Self> {
        let encoding = Encoding::for_label(name.as_bytes())?;
        // The others keep state across line ends, or are not encodings.
        let is_sliced = encoding.is_ascii_compatible() || is_utf16(encoding);
        is_sliced.then_some(EncodingName(encoding))
    }

    pub(super) fn of(encoding: &'static Encoding) -> Self {
        EncodingName(encoding)
    }

    pub(super) fn encoding(self) -> &'static Encoding {
        self.0
    }

    /// None for UTF-8, which needs none.
    pub(super) fn unless_utf8(self) -> Option<&'static Encoding> {
        (self.0 != UTF_8).then_some(self.0)
    }
}

pub(super) fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}
