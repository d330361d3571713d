//! Pages that are lines: NDJSON, CSV and TSV.

use super::hints::{ERRORS, is_error};
use super::{Page, PageParser, PageRecord, PageRecordFault};
use crate::error::{Error, Result};
use crate::http::transport::{permanent, transient};
use crate::retry::RetryError;
use crate::source::http::settings::digest;
use crate::source::json::{self, Pointer};
use crate::source::records::{Compression, Format, SliceReader};
use crate::source::sqlstate::CHARACTER_NOT_IN_REPERTOIRE;
use crate::source::{BatchBuilder, BatchLimits};

/// Records are read one at a time.
const ONE: BatchLimits = BatchLimits { rows: 1, bytes: usize::MAX, digests: false };

impl PageParser<'_> {
    pub(super) fn read_lines(&self, page: &mut Page, format: Format) -> Result<(), RetryError> {
        self.refuse_html()?;
        self.refuse_packed()?;
        if matches!(format, Format::Csv | Format::Tsv) {
            self.refuse_json()?;
        }
        self.check_end(format)?;
        self.check_last_line(format)?;
        page.digest = digest(&self.body);
        let lines = &self.reader.content.lines;
        let slicer = SliceReader::new(lines, format, self.body.to_vec());
        self.slice(page, slicer.map_err(permanent)?).map_err(permanent)
    }

    fn slice(&self, page: &mut Page, mut slicer: SliceReader) -> Result<()> {
        let mut content = Vec::with_capacity(self.body.len());
        let (mut records, mut faults) = (Vec::new(), Vec::new());
        let mut one = BatchBuilder::new(ONE);
        one.set_origin("");
        let empty = one.savepoint();
        while slicer.next(&mut one)? {
            let Some((position, payload)) = one.last() else {
                break;
            };
            let start = content.len();
            match payload {
                Ok(payload) => content.extend_from_slice(payload),
                Err(fault) => {
                    content.extend_from_slice(&fault.payload);
                    let fault = PageRecordFault {
                        sqlstate: fault.sqlstate,
                        message: fault.message.clone(),
                    };
                    faults.push((records.len(), fault));
                }
            }
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            records.push(PageRecord {
                span: place(start)..place(content.len()),
                position: u32::try_from(position).unwrap_or(u32::MAX),
            });
            one.roll_back(empty);
        }
        let foreign =
            faults.iter().find(|(_, fault)| fault.sqlstate == CHARACTER_NOT_IN_REPERTOIRE);
        if let Some((index, _)) = foreign.filter(|_| self.reader.content.lines.is_utf8()) {
            page.notes.push(format!(
                "line {} of {} is not UTF-8; if the answer is in another encoding, say in which: encoding => 'windows-1252'",
                records[*index].position, self.origin
            ));
        }
        page.hold(content.into(), records, faults);
        Ok(())
    }

    /// Refuses a compressed body without Content-Encoding.
    fn refuse_packed(&self) -> Result<(), RetryError> {
        match Compression::detect_by_content(&self.body) {
            None => Ok(()),
            Some(name) => Err(permanent(
                Error::failed(format!("the answer of {} is compressed by {name}", self.origin)).next(
                    "let the server say so (Content-Encoding), or load the file that it sends: sluice.file_source(...)",
                ),
            )),
        }
    }

    /// Refuses JSON where CSV is expected: its lines would become senseless rows.
    fn refuse_json(&self) -> Result<(), RetryError> {
        let is_json = matches!(self.body.trim_ascii_start().first(), Some(b'{' | b'['))
            && json::find(&self.body, &[]).is_ok();
        match is_json {
            false => Ok(()),
            true => Err(permanent(
                self.error(format!("the answer of {} is JSON", self.origin))
                    .next("set `format` to json, or ask the source for CSV"),
            )),
        }
    }

    /// Refuses a body of unknown length that ends with its connection: it may be truncated. Only NDJSON shows
    /// by its last line end that no record is.
    fn check_end(&self, format: Format) -> Result<(), RetryError> {
        let is_ndjson = format == Format::Ndjson;
        if self.reply.is_proven || (is_ndjson && self.body.ends_with(b"\n")) {
            return Ok(());
        }
        let error = Error::failed(format!(
            "the answer of {} may be cut: it has neither a length nor an end",
            self.origin
        ));
        Err(match is_ndjson {
            true => transient(error),
            false => {
                permanent(error.next("let the server send Content-Length or chunks, or use JSON"))
            }
        })
    }

    /// A server that fails while it streams can only report that in the stream: by a last object that is an
    /// error, unlike the records before.
    fn check_last_line(&self, format: Format) -> Result<(), RetryError> {
        let body = self.body.trim_ascii_end();
        let Some(end) = memchr::memrchr(b'\n', body) else {
            return Ok(());
        };
        let last = &body[end + 1..];
        if last.first() != Some(&b'{') {
            return Ok(());
        }
        let reader = self.reader;
        let conditions = reader.retry_when.iter().chain(&reader.fail_when);
        let mut pointers: Vec<&Pointer> = conditions.map(|condition| &condition.pointer).collect();
        let count = pointers.len();
        pointers.extend(ERRORS.iter().take(STREAMED_ERRORS));
        let usual = first_key(body).filter(|_| format == Format::Ndjson);
        pointers.extend(&usual);
        let Ok(spans) = json::find(last, &pointers) else {
            return Ok(());
        };
        let values: Vec<Option<&[u8]>> =
            spans.into_iter().map(|span| span.map(|span| &last[span])).collect();
        self.check(&values[..count])?;
        let errors = &values[count..count + STREAMED_ERRORS];
        let is_usual = usual.is_some() && values.last().is_some_and(Option::is_some);
        match errors.iter().any(|value| is_error(*value)) && !is_usual {
            false => Ok(()),
            true => Err(transient(self.error(format!(
                "the answer of {} ends in an error: {}",
                self.origin,
                String::from_utf8_lossy(&last[..last.len().min(200)])
            )))),
        }
    }
}

/// How many of [`ERRORS`] may occur in a stream.
const STREAMED_ERRORS: usize = 4;

/// The pointer to the first member of the first record.
fn first_key(body: &[u8]) -> Option<Pointer> {
    let record = body.trim_ascii_start().strip_prefix(b"{")?;
    let record = record.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr2(b'"', b'\\', record)?;
    let key = std::str::from_utf8(&record[..end]).ok()?;
    Pointer::parse(&format!("/{}", key.replace('~', "~0").replace('/', "~1")))
}
