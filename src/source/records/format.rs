//! How records stand in the content: by the setting, by the suffix, or by the first bytes.

use super::content::Content;
use super::csv::{Csv, Layout};
use super::decode::content_name;
use super::frame::Framer;
use super::json::Json;
use super::ndjson::Ndjson;
use super::position::Parser;
use super::reading::Reading;
use super::row::Dialect;
use super::scan::Limits;
use super::settings::{Format, RecordSettings};
use crate::error::{Error, Result};

const BOM: &[u8] = b"\xef\xbb\xbf";
const BOM_UTF16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// What others begin with, and what to do about it.
const MAGIC: [(&[u8], &str, &str); 10] = [
    (
        b"PK\x03\x04",
        "a zip archive (xlsx files are, too)",
        "unpack it, or save the sheet as CSV; members of an archive are not read",
    ),
    (
        b"BZh",
        "compressed by bzip2",
        "pack it anew (`bzcat FILE | zstd`), or pipe it in: `bzcat FILE | sluice run PIPELINE --path -`",
    ),
    (
        b"\xfd7zXZ\0",
        "compressed by xz",
        "pack it anew (`xzcat FILE | zstd`), or pipe it in: `xzcat FILE | sluice run PIPELINE --path -`",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed by lz4",
        "pack it anew (`lz4cat FILE | zstd`), or pipe it in: `lz4cat FILE | sluice run PIPELINE --path -`",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive",
        "unpack it; members of an archive are not read",
    ),
    (
        b"PAR1",
        "Parquet",
        "let it be read where it lies, in a folder or an object store: not through a pipe, and not packed once more",
    ),
    (
        b"Obj\x01",
        "Avro",
        "write it as NDJSON (`avro-tools tojson`)",
    ),
    (b"ORC", "ORC", "write it as NDJSON (`orc-contents`)"),
    (
        b"%PDF-",
        "a PDF document",
        "there are no records in it; ask whoever sent it for CSV",
    ),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Office document",
        "save the sheet as CSV",
    ),
];

impl Reading {
    /// Settles the format and makes the framer; an input without content gets none.
    pub(in crate::source) fn begin(
        &mut self,
        settings: &RecordSettings,
        known: Option<Format>,
        parser: Parser,
    ) -> Result<()> {
        self.strip_bom()?;
        if self.window.offset() == 0 {
            self.hold(8)?;
            self.refuse_by_magic()?;
        }
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

    /// Content of another kind, told by its first bytes: the file is named, and the way on.
    fn refuse_by_magic(&self) -> Result<()> {
        let head = self.window.data();
        let found = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic));
        if let Some((_, what, next)) = found {
            return Err(
                Error::failed(format!("{} `{}` is {what}", self.noun(), self.name())).next(*next),
            );
        }
        let head = &head[..head.len().min(1024)];
        let nuls = |odd: usize| {
            head.iter()
                .skip(odd)
                .step_by(2)
                .filter(|byte| **byte == 0)
                .count()
        };
        // Text of a western language has a NUL in every second byte then.
        let (even, odd) = (nuls(0), nuls(1));
        let name = match (even, odd) {
            (0, n) if n > 1 && n * 3 > head.len() => "UTF-16LE",
            (n, 0) if n > 1 && n * 3 > head.len() => "UTF-16BE",
            _ => return Ok(()),
        };
        Err(Error::failed(format!(
            "{} `{}` looks like {name} without a byte order mark",
            self.noun(),
            self.name()
        ))
        .next(format!(
            "is it? Save it as UTF-8 (`iconv -f {name} -t UTF-8`)"
        )))
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
                    .next("set `format` to ndjson, json, csv, tsv or parquet"));
                }
            }
        }
    }

    fn hold(&mut self, n: usize) -> Result<bool> {
        self.window.holds(n).map_err(|cause| self.damaged(cause))
    }
}

/// Whether content of this name, or of the format that is set, is CSV or TSV.
pub(in crate::source) fn is_tabular(format: Option<&str>, name: &str) -> bool {
    match format {
        None | Some("auto") => matches!(by_suffix(name), Some(Format::Csv | Format::Tsv)),
        Some(format) => matches!(format, "csv" | "tsv"),
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
            let layout = Layout {
                dialect: Dialect {
                    delimiter: settings.delimiter(format),
                    quote: settings.quote(),
                    escape: settings.escape(),
                    comment: settings.comment(),
                    line_end: b'\n',
                    null: settings.null.as_ref().map(|null| null.as_bytes().to_vec()),
                },
                limits: Limits {
                    bytes: max,
                    lines: settings.max_record_lines,
                },
                skip_lines: settings.skip_lines,
                has_header: settings.header,
                guesses_delimiter: settings.delimiter.is_none(),
                names: settings.columns.clone(),
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
