//! JSON values in a row, and arrays whose elements are the records, sliced by counting
//! brackets and quotes. Nothing is parsed: what is between the commas goes to Postgres as
//! it stands.

mod array_finder;

use self::array_finder::{ArrayFinder, RecordsAt};
use super::framer::{
    BOM, FrameError, Framer, NextRecord, Tail, TailState, quarantine_miscoded, to_bigint,
};
use super::position::{ArrayState, ParserState};
use super::record_end::{EndOffset, RecordEnd, find_record_end};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::{Pointer, ValueScan};

/// Invalid text representation: what Postgres says of broken JSON.
const NOT_JSON: &str = "22P02";

pub(super) struct Json {
    max: usize,
    seen: usize,
    value: ValueScan,
    spot: ArrayState,
    /// The way to the records, if they are inside a document.
    finder: Option<ArrayFinder>,
    /// Reading stopped on another path than this one.
    path_has_changed: bool,
}

impl Json {
    /// Goes on from `parser`, which is empty at the beginning.
    pub(super) fn new(max: usize, records: Option<&Pointer>, parser: ParserState) -> Self {
        let path = records.filter(|path| !path.segments().is_empty());
        let was_nested = !parser.within.is_empty();
        let spot = parser.spot.unwrap_or_default();
        let finder = path.map(|path| ArrayFinder::new(path.clone(), parser.within));
        let path_has_changed = match &finder {
            Some(finder) => finder.path_has_changed() || (spot != ArrayState::Top && !was_nested),
            None => was_nested,
        };
        Json {
            max,
            seen: 0,
            value: ValueScan::default(),
            spot,
            finder,
            path_has_changed,
        }
    }

    /// Takes a value, or a stretch of garbage if `garbage` says what is wrong with it.
    fn take_value(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
        garbage: Option<String>,
    ) -> Result<NextRecord, FrameError> {
        let position = self.position(window);
        let spot = self.spot;
        let value = &mut self.value;
        let find = |bytes: &[u8]| match garbage {
            None => value.feed(bytes).map(EndOffset::InChunk),
            Some(_) if spot == ArrayState::Top => {
                memchr::memchr(b'\n', bytes).map(EndOffset::InChunk)
            }
            Some(_) => memchr::memchr2(b',', b']', bytes).map(EndOffset::InChunk),
        };
        match find_record_end(window, self.max, &mut self.seen, find)? {
            RecordEnd::Complete(len) => {
                let bytes = &window.data()[..len];
                match garbage {
                    None if quarantine_miscoded(window, len, position, out) => {}
                    None => out.push(position, bytes),
                    Some(message) => {
                        out.push_unreadable(position, bytes.to_vec(), NOT_JSON, message);
                    }
                }
                window.advance(len);
            }
            RecordEnd::TooLong(long) => long.quarantine(out, position, self.max),
            RecordEnd::TruncatedTooLong(long) => {
                return Ok(NextRecord::Unterminated(long.into_tail(self.max)));
            }
            RecordEnd::Truncated => return Ok(self.truncated(window)),
        }
        self.value = ValueScan::default();
        if self.spot != ArrayState::Top {
            self.spot = ArrayState::AfterElement;
        }
        window.records += 1;
        Ok(NextRecord::Added)
    }

    fn truncated(&self, window: &Window) -> NextRecord {
        let message = match self.spot {
            _ if !window.data().is_empty() => {
                format!("the content ends inside record {}", self.position(window))
            }
            _ => format!(
                "the content ends before its array does, after {} records",
                window.records
            ),
        };
        NextRecord::Unterminated(Tail::new(window, TailState::Truncated, NOT_JSON, message))
    }

    fn note(&self, window: &mut Window, out: &mut BatchBuilder, message: String) -> NextRecord {
        out.push_unreadable(self.position(window), Vec::new(), NOT_JSON, message);
        window.records += 1;
        NextRecord::Added
    }
}

impl Framer for Json {
    fn next(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
    ) -> Result<NextRecord, FrameError> {
        if self.path_has_changed {
            return Err(FrameError::Malformed(
                "it was begun under another `records` setting".to_owned(),
                "read it from its start: sluice rewind PIPELINE --object NAME",
            ));
        }
        loop {
            if self.spot == ArrayState::Top
                && let Some(finder) = &mut self.finder
            {
                match finder.seek(window)? {
                    RecordsAt::Array => {}
                    RecordsAt::Object => return self.take_value(window, out, None),
                    RecordsAt::EndOfInput => return Ok(NextRecord::EndOfInput),
                    RecordsAt::Truncated => return Ok(self.truncated(window)),
                }
            }
            // If a tail was left, a value has begun there, which starts without a blank.
            let blank = window.data().len() - window.data().trim_ascii_start().len();
            window.advance(blank);
            if self.spot == ArrayState::Top
                && window.data().first() == BOM.first()
                && window.holds(BOM.len())?
                && window.data().starts_with(BOM)
            {
                window.advance(BOM.len());
                continue;
            }
            let Some(&byte) = window.data().first() else {
                if window.fill()? {
                    continue;
                }
                return Ok(match self.spot {
                    ArrayState::Top => NextRecord::EndOfInput,
                    _ => self.truncated(window),
                });
            };
            match (self.spot, byte) {
                (ArrayState::Top, b'[') => {
                    window.advance(1);
                    self.spot = ArrayState::ArrayStart;
                }
                (ArrayState::Top, b']' | b'}' | b',' | b':') => {
                    let at = window.offset() + 1;
                    let message = format!("`{}` at byte {at} begins no value", char::from(byte));
                    return self.take_value(window, out, Some(message));
                }
                (ArrayState::ArrayStart | ArrayState::AfterElement, b']') => {
                    window.advance(1);
                    self.spot = ArrayState::Top;
                }
                (ArrayState::AfterElement, b',') => {
                    window.advance(1);
                    self.spot = ArrayState::BeforeElement;
                }
                (ArrayState::AfterElement, _) => {
                    let at = window.offset() + 1;
                    let message = format!(
                        "there must be `,` or `]` at byte {at}, behind an element of the array"
                    );
                    return self.take_value(window, out, Some(message));
                }
                (ArrayState::ArrayStart | ArrayState::BeforeElement, b',') => {
                    let at = window.offset() + 1;
                    let message = format!("the array has an empty element before byte {at}");
                    window.advance(1);
                    self.spot = ArrayState::BeforeElement;
                    return Ok(self.note(window, out, message));
                }
                (ArrayState::BeforeElement, b']') => {
                    let at = window.offset() + 1;
                    let message = format!("the array ends in a comma before byte {at}");
                    window.advance(1);
                    self.spot = ArrayState::Top;
                    return Ok(self.note(window, out, message));
                }
                _ => return self.take_value(window, out, None),
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), FrameError> {
        // Values show their own end, so a tail is never whole; Postgres would say the same.
        out.push(self.position(window), window.data());
        window.records += 1;
        window.advance(window.data().len());
        Ok(())
    }

    fn position(&self, window: &Window) -> i64 {
        to_bigint(window.records + 1)
    }

    fn is_between_records(&self) -> bool {
        let is_outside = self
            .finder
            .as_ref()
            .is_none_or(ArrayFinder::is_between_documents);
        self.spot == ArrayState::Top && is_outside
    }

    fn parser(&self) -> ParserState {
        ParserState {
            spot: (self.spot != ArrayState::Top).then_some(self.spot),
            within: self
                .finder
                .as_ref()
                .map_or(String::new(), |finder| finder.within().to_owned()),
            ..ParserState::default()
        }
    }
}
