//! Concatenated JSON values, and arrays whose elements are the records. They are sliced by brackets and
//! quotes alone: Postgres does the parsing.

mod array_finder;

use self::array_finder::{ArrayFinder, RecordsAt};
use super::framer::{
    FrameError, Framer, NextRecord, Tail, TailState, quarantine_miscoded, to_bigint,
};
use super::position::{ArrayState, ParserState};
use super::record_end::{EndOffset, RecordEnd, find_record_end};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::{Pointer, ValueScan};
use crate::source::sqlstate::INVALID_TEXT_REPRESENTATION;

pub(super) struct Json {
    max: usize,
    seen: usize,
    value: ValueScan,
    state: ArrayState,
    /// Finds the array of records, if it is inside a document.
    finder: Option<ArrayFinder>,
    /// An earlier run read by another path.
    path_has_changed: bool,
}

impl Json {
    /// Resumes at `parser`, which is empty at the start.
    pub(super) fn new(max: usize, records: Option<&Pointer>, parser: ParserState) -> Self {
        let path = records.filter(|path| !path.segments().is_empty());
        let was_nested = !parser.within.is_empty();
        let state = parser.spot.unwrap_or_default();
        let finder = path.map(|path| ArrayFinder::new(path.clone(), parser.within));
        let path_has_changed = match &finder {
            Some(finder) => finder.path_has_changed() || (state != ArrayState::Top && !was_nested),
            None => was_nested,
        };
        Json { max, seen: 0, value: ValueScan::default(), state, finder, path_has_changed }
    }

    /// Takes a value; or what is none, if `garbage` says why.
    fn take_value(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
        garbage: Option<String>,
    ) -> Result<NextRecord, FrameError> {
        let position = self.position(window);
        let state = self.state;
        let value = &mut self.value;
        let find = |bytes: &[u8]| match garbage {
            None => value.feed(bytes).map(EndOffset::InChunk),
            Some(_) if state == ArrayState::Top => {
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
                        out.push_unreadable(
                            position,
                            bytes.to_vec(),
                            INVALID_TEXT_REPRESENTATION,
                            message,
                        );
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
        if self.state != ArrayState::Top {
            self.state = ArrayState::AfterElement;
        }
        window.records += 1;
        Ok(NextRecord::Added)
    }

    fn truncated(&self, window: &Window) -> NextRecord {
        let message = match self.state {
            _ if !window.data().is_empty() => {
                format!("the content ends inside record {}", self.position(window))
            }
            _ => {
                format!("the content ends before its array does, after {} records", window.records)
            }
        };
        NextRecord::Unterminated(Tail::new(
            window,
            TailState::Truncated,
            INVALID_TEXT_REPRESENTATION,
            message,
        ))
    }

    fn note(&self, window: &mut Window, out: &mut BatchBuilder, message: String) -> NextRecord {
        out.push_unreadable(
            self.position(window),
            Vec::new(),
            INVALID_TEXT_REPRESENTATION,
            message,
        );
        window.records += 1;
        NextRecord::Added
    }
}

/// The meaning of a byte between values.
enum JsonToken {
    /// A value begins.
    Value,
    /// Punctuation, and the state after it.
    Punctuation(ArrayState),
    /// Punctuation where an element is missing: what is wrong, and the state after it.
    NoElement(&'static str, ArrayState),
    /// Something begins that is no value.
    Garbage,
}

impl JsonToken {
    fn of(state: ArrayState, byte: u8) -> Self {
        use ArrayState::{AfterElement, ArrayStart, BeforeElement, Top};
        match (state, byte) {
            (Top, b'[') => JsonToken::Punctuation(ArrayStart),
            (Top, b']' | b'}' | b',' | b':') => JsonToken::Garbage,
            (ArrayStart | AfterElement, b']') => JsonToken::Punctuation(Top),
            (AfterElement, b',') => JsonToken::Punctuation(BeforeElement),
            (AfterElement, _) => JsonToken::Garbage,
            (ArrayStart | BeforeElement, b',') => {
                JsonToken::NoElement("has an empty element", BeforeElement)
            }
            (BeforeElement, b']') => JsonToken::NoElement("ends in a comma", Top),
            _ => JsonToken::Value,
        }
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
            if self.state == ArrayState::Top
                && let Some(finder) = &mut self.finder
            {
                match finder.seek(window)? {
                    RecordsAt::Array => {}
                    RecordsAt::Object => return self.take_value(window, out, None),
                    RecordsAt::EndOfInput => return Ok(NextRecord::EndOfInput),
                    RecordsAt::Truncated => return Ok(self.truncated(window)),
                }
            }
            // A value that was left as a tail begins without a blank.
            let Some(byte) = window.next_non_blank()? else {
                return Ok(match self.state {
                    ArrayState::Top => NextRecord::EndOfInput,
                    _ => self.truncated(window),
                });
            };
            if self.state == ArrayState::Top && window.skip_bom()? {
                continue;
            }
            let at = window.offset() + 1;
            match JsonToken::of(self.state, byte) {
                JsonToken::Value => return self.take_value(window, out, None),
                JsonToken::Punctuation(state) => {
                    window.advance(1);
                    self.state = state;
                }
                JsonToken::NoElement(what, state) => {
                    window.advance(1);
                    self.state = state;
                    return Ok(self.note(
                        window,
                        out,
                        format!("the array {what} before byte {at}"),
                    ));
                }
                JsonToken::Garbage => {
                    let message = match self.state {
                        ArrayState::AfterElement => format!(
                            "there must be `,` or `]` at byte {at}, behind an element of the array"
                        ),
                        _ => format!("`{}` at byte {at} begins no value", char::from(byte)),
                    };
                    return self.take_value(window, out, Some(message));
                }
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), FrameError> {
        // A tail is never complete, as values show their own end; Postgres will say so.
        out.push(self.position(window), window.data());
        window.records += 1;
        window.advance(window.data().len());
        Ok(())
    }

    fn position(&self, window: &Window) -> i64 {
        to_bigint(window.records + 1)
    }

    fn is_between_records(&self) -> bool {
        let is_outside = self.finder.as_ref().is_none_or(ArrayFinder::is_between_documents);
        self.state == ArrayState::Top && is_outside
    }

    fn parser(&self) -> ParserState {
        ParserState {
            spot: (self.state != ArrayState::Top).then_some(self.state),
            within: self.finder.as_ref().map_or(String::new(), |finder| finder.within().to_owned()),
            ..ParserState::default()
        }
    }
}
