//! How records stand in the content: by the setting, by the suffix, or by the first bytes.

use super::csv::Csv;
use super::decode::content_name;
use super::frame::Framer;
use super::json::Json;
use super::ndjson::Ndjson;
use super::position::Parser;
use super::reading::Reading;
use super::row::Dialect;
use super::settings::{Format, RecordSettings};
use crate::error::{Error, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";
const BOM_UTF16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

impl Reading {
    /// Settles the format and makes the framer; an input without content gets none.
    pub(in crate::source) fn begin(
        &mut self,
        settings: &RecordSettings,
        known: Option<Format>,
        parser: Parser,
    ) -> Result<()> {
        self.strip_bom()?;
        let format = match settings.format.fixed().or(known) {
            Some(format) => Some(format),
            None => match by_suffix(self.name()) {
                Some(format) => Some(format),
                None => self.peek_format()?,
            },
        };
        if let Some(format) = format {
            self.set_framer(format, framer(settings, format, parser)?);
        }
        Ok(())
    }

    fn strip_bom(&mut self) -> Result<()> {
        if self.window.offset() != 0 {
            return Ok(());
        }
        self.hold(BOM.len())?;
        if self.window.data().starts_with(BOM) {
            self.window.advance(BOM.len());
        }
        if BOM_UTF16
            .iter()
            .any(|bom| self.window.data().starts_with(bom))
        {
            return Err(
                Error::failed(format!("{} `{}` is UTF-16", self.noun(), self.name()))
                    .next("save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)"),
            );
        }
        Ok(())
    }

    fn peek_format(&mut self) -> Result<Option<Format>> {
        const FAR_ENOUGH: usize = 64 * 1024;
        loop {
            match self.window.data().trim_ascii_start().first() {
                Some(b'[') => return Ok(Some(Format::Json)),
                Some(b'{') => return Ok(Some(Format::Ndjson)),
                None if self.window.data().len() < FAR_ENOUGH => {
                    if !self.hold(self.window.data().len() + 1)? {
                        return Ok(None);
                    }
                }
                _ => {
                    return Err(Error::usage(format!(
                        "cannot tell the format of `{}` by its name or its first bytes",
                        self.name()
                    ))
                    .next("set `format` to ndjson, json, csv or tsv"));
                }
            }
        }
    }

    fn hold(&mut self, n: usize) -> Result<bool> {
        self.window.holds(n).map_err(|cause| self.damaged(cause))
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

pub(super) fn framer(
    settings: &RecordSettings,
    format: Format,
    parser: Parser,
) -> Result<Box<dyn Framer>> {
    let max = settings.max_record_bytes;
    Ok(match format {
        Format::Ndjson => Box::new(Ndjson::new(max)),
        Format::Json => Box::new(Json::new(max, parser.spot.unwrap_or_default())),
        Format::Csv | Format::Tsv => {
            let dialect = Dialect {
                delimiter: settings.delimiter(format),
                quote: settings.quote(),
                null: settings.null.as_ref().map(|null| null.as_bytes().to_vec()),
            };
            let is_past_header = parser.columns.is_some() || !settings.header;
            let names = settings.columns.clone();
            let columns = is_past_header
                .then(|| names.clone().or(parser.columns))
                .flatten();
            Box::new(Csv::new(max, dialect, columns, names))
        }
    })
}
