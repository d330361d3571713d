//! Settings with a fixed set of values.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

/// The format of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Ndjson,
    Json,
    Csv,
    Tsv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

/// A setting that is none if its value is `auto`: the content decides.
pub(super) fn unless_auto<'de, T, D>(value: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    match String::deserialize(value)? {
        auto if auto == "auto" => Ok(None),
        fixed => T::deserialize(fixed.into_deserializer()).map(Some),
    }
}

/// What to do when a file or object has changed since it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnReplace {
    #[default]
    Error,
    Reload,
}

/// A WHATWG encoding label. The engine checks which ones a pipeline may use.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct EncodingName(&'static Encoding);

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
        // The others keep state across line ends (ISO-2022-JP), or decode nothing.
        let is_sliced = encoding.is_ascii_compatible() || is_utf16(encoding);
        is_sliced.then_some(EncodingName(encoding))
    }

    pub(super) fn of(encoding: &'static Encoding) -> Self {
        EncodingName(encoding)
    }

    pub(super) fn encoding(self) -> &'static Encoding {
        self.0
    }

    /// None for UTF-8, which needs no decoding.
    pub(super) fn unless_utf8(self) -> Option<&'static Encoding> {
        (self.0 != UTF_8).then_some(self.0)
    }
}

pub(super) fn is_utf16(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}
