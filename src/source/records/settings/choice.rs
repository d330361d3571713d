//! What is chosen by name.

use serde::{Deserialize, Serialize};

use super::super::decode::Compression;

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
    pub(in super::super) fn fixed(self) -> Option<Compression> {
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

/// What to do with a file or object that has other content than when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::source) enum OnReplace {
    #[default]
    Error,
    Reload,
}
