//! Decides the format of content: by the setting, the suffix, or the first bytes.

use super::choice::{Compression, Format};
use super::content::Content;
use super::csv::{Csv, CsvOptions};
use super::decode::content_name;
use super::framer::Framer;
use super::json::Json;
use super::magic;
use super::ndjson::Ndjson;
use super::position::ParserState;
use super::reader::RecordReader;
use super::required;
use super::row::CsvDialect;
use super::scan::RowLimits;
use super::settings::RecordSettings;
use crate::error::{Error, Result};
use crate::source::json::ValueScan;

/// Bytes that are looked at to detect the format.
const FAR_ENOUGH: usize = 64 * 1024;

impl RecordReader {
    /// Decides the format and sets the framer; empty input gets none.
    pub(crate) fn begin(
        &mut self,
        settings: &RecordSettings,
        known: Option<Format>,
        parser: ParserState,
    ) -> Result<()> {
        if self.window.offset() == 0 {
            let needs_more = |head: &[u8]| magic::needs_more(head) || Compression::needs_more(head);
            while needs_more(self.window.data()) && self.fill_to(self.window.data().len() + 1)? {}
            if magic::is_likely(self.window.data()) {
                self.fill_to(magic::PROOF)?;
            }
            self.refuse_by_magic()?;
        }
        self.settle_encoding(settings, &parser)?;
        let nested = settings.records.as_ref().map(|_| Format::Json);
        let format = match settings.format.or(nested).or(known) {
            Some(format) => Some(format),
            None => match by_suffix(self.name()) {
                Some(format) => Some(format),
                None => self.peek_format()?,
            },
        };
        if let Some(format) = format {
            self.refuse_lacking(settings, format, &parser)?;
            self.set_framer(format, framer(settings, format, parser, self.can_reopen)?);
        }
        Ok(())
    }

    /// Refuses content of a format that is not read, by its first bytes.
    fn refuse_by_magic(&self) -> Result<()> {
        let head = self.window.data();
        let is_packed = Compression::detect_by_content(head).is_some();
        if is_packed && self.compression != Compression::None {
            return Err(Error::failed(format!(
                "{} `{}` is compressed twice",
                self.noun(),
                self.name()
            ))
            .next("unpack it once"));
        }
        match magic::find(head) {
            Some((what, next)) => {
                Err(Error::failed(format!("{} `{}` is {what}", self.noun(), self.name()))
                    .next(next))
            }
            None => Ok(()),
        }
    }

    /// Refuses content without the columns in `require`: by the header that an earlier run read, or as JSON.
    fn refuse_lacking(
        &self,
        settings: &RecordSettings,
        format: Format,
        parser: &ParserState,
    ) -> Result<()> {
        let (what, next) = match (&parser.columns, format) {
            _ if settings.require.is_empty() => return Ok(()),
            (Some(columns), _) => match settings.require.refusal(columns) {
                Some(lacks) => (format!("the header {lacks}"), required::NEXT),
                None => return Ok(()),
            },
            (None, Format::Ndjson | Format::Json) => (
                "it has no header that `require` could look at: it is read as JSON".to_owned(),
                "set `format` to csv or tsv if that is what it is; else leave `require` out, and let the \
                 target say `not null`",
            ),
            (None, _) => return Ok(()),
        };
        Err(Error::failed(format!("{} `{}`: {what}", self.noun(), self.name())).next(next))
    }

    fn peek_format(&mut self) -> Result<Option<Format>> {
        loop {
            match self.window.data().trim_ascii_start().first() {
                Some(b'[') => return Ok(Some(Format::Json)),
                Some(b'{') => {
                    return Ok(Some(match self.is_printed()? {
                        true => Format::Json,
                        false => Format::Ndjson,
                    }));
                }
                None if self.window.data().len() < FAR_ENOUGH => {
                    if !self.fill_to(self.window.data().len() + 1)? {
                        return Ok(None);
                    }
                }
                _ => {
                    return Err(Error::usage(format!(
                        "cannot tell the format of `{}` by its name or its first bytes",
                        self.name()
                    ))
                    .next("set `format`, or --format, to ndjson, json, csv, tsv or parquet"));
                }
            }
        }
    }

    /// Whether the first object spans several lines: its first line is incomplete, and the next does not
    /// begin another object.
    fn is_printed(&mut self) -> Result<bool> {
        let mut wanted = 0;
        loop {
            let text = self.window.data().trim_ascii_start();
            if let Some(end) = memchr::memchr(b'\n', text) {
                let follows = text[end..].trim_ascii_start().first();
                match follows {
                    _ if ValueScan::is_whole(text[..end].trim_ascii_end()) => return Ok(false),
                    Some(byte) => return Ok(*byte != b'{'),
                    None => {}
                }
            }
            wanted = self.window.data().len().max(wanted) + 1;
            if wanted > FAR_ENOUGH || !self.fill_to(wanted)? {
                return Ok(false);
            }
        }
    }

    pub(super) fn fill_to(&mut self, n: usize) -> Result<bool> {
        self.window.fill_to(n).map_err(|cause| self.damaged(cause))
    }
}

/// Whether content is CSV or TSV, by the setting or its name.
pub(crate) fn is_tabular(format: Option<&str>, name: &str) -> bool {
    match format {
        None | Some("auto") => matches!(by_suffix(name), Some(Format::Csv | Format::Tsv)),
        Some(format) => matches!(format, "csv" | "tsv"),
    }
}

/// Whether records have columns, by the setting or the name.
pub(crate) fn has_columns(format: Option<&str>, name: &str) -> bool {
    is_tabular(format, name)
        || match format {
            None | Some("auto") => name.ends_with(".parquet"),
            Some(format) => format == "parquet",
        }
}

fn by_suffix(name: &str) -> Option<Format> {
    let (_, suffix) = content_name(name).rsplit_once('.')?;
    match suffix.to_ascii_lowercase().as_str() {
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "json" => Some(Format::Json),
        "csv" => Some(Format::Csv),
        "tsv" | "tab" => Some(Format::Tsv),
        _ => None,
    }
}

pub(super) fn dialect(settings: &RecordSettings, format: Format) -> CsvDialect {
    CsvDialect {
        delimiter: settings.delimiter(format),
        quote: settings.quote(),
        escape: settings.escape(),
        comment: settings.comment(),
        line_end: b'\n',
        null: settings.null.as_ref().map(|null| null.as_bytes().to_vec()),
    }
}

pub(super) fn framer(
    settings: &RecordSettings,
    format: Format,
    parser: ParserState,
    can_reopen: bool,
) -> Result<Box<dyn Framer>> {
    let max = settings.max_record_bytes;
    Ok(match format {
        Format::Ndjson => Box::new(Ndjson::new(max)),
        Format::Json => Box::new(Json::new(max, settings.records.as_ref(), parser)),
        Format::Csv | Format::Tsv => {
            let layout = CsvOptions {
                dialect: dialect(settings, format),
                limits: RowLimits { bytes: max, lines: settings.max_record_lines },
                skip_lines: settings.skip_lines,
                has_header: settings.header,
                guesses_delimiter: settings.delimiter.is_none(),
                names: settings.columns.clone(),
                required: settings.require.clone(),
                can_reopen,
            };
            Box::new(Csv::new(layout, parser))
        }
        Format::Parquet => {
            return Err(Error::usage(
                "Parquet begins with its end and cannot be read from a stream",
            )
            .next("let it be read where it lies, in a folder or an object store"));
        }
    })
}
