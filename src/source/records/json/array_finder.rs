//! Finds the array that `records` names in a document, and the end of the document after it. Everything
//! else is skipped without being held in memory.

use crate::source::json::{Pointer, ValueScan, string};
use crate::source::records::framer::FrameError;
use crate::source::records::window::Window;

/// Keys of a document that an error shows.
const SHOWN: usize = 12;

pub(super) struct ArrayFinder {
    path: Pointer,
    /// The open objects and arrays around the current place, outermost first: `{[`.
    within: String,
    next: Expected,
    /// Index of the next element in the innermost array; none after the one on the path.
    index: Option<usize>,
    /// `within` at the start of this search, which truncated content is resumed from.
    began: Option<String>,
    /// Whether the document has a value at the path.
    has_records: bool,
    keys: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    Key,
    CommaOrEnd,
}

/// The result of a search.
pub(super) enum RecordsAt {
    /// At the bracket of the array of records.
    Array,
    /// At an object, which is a record itself.
    Object,
    /// At the end of the content, after a document.
    EndOfInput,
    /// At the end of the content, inside a document.
    Truncated,
}

impl ArrayFinder {
    pub(super) fn new(path: Pointer, within: String) -> Self {
        let is_open = !within.is_empty();
        ArrayFinder {
            path,
            within,
            next: if is_open { Expected::CommaOrEnd } else { Expected::Value },
            index: None,
            began: None,
            has_records: is_open,
            keys: Vec::new(),
        }
    }

    /// The open containers to resume with.
    pub(super) fn within(&self) -> &str {
        self.began.as_deref().unwrap_or(&self.within)
    }

    pub(super) fn is_between_documents(&self) -> bool {
        self.within.is_empty()
    }

    /// Whether the search was left at another depth than that of the path.
    pub(super) fn path_has_changed(&self) -> bool {
        !self.within.is_empty() && self.within.len() != self.path.segments().len()
    }

    /// Finds the next records, in this document or the next.
    pub(super) fn seek(&mut self, window: &mut Window) -> Result<RecordsAt, FrameError> {
        window.pin();
        self.began = Some(self.within.clone());
        let found = self.walk(window)?;
        // A search that was truncated starts over when the content has grown.
        if !matches!(found, RecordsAt::Truncated) {
            window.unpin();
            self.began = None;
        }
        Ok(found)
    }

    fn walk(&mut self, window: &mut Window) -> Result<RecordsAt, FrameError> {
        while let Some(byte) = window.next_non_blank()? {
            match (self.next, byte) {
                (Expected::Value, b']') if self.within.ends_with('[') && self.index == Some(0) => {
                    self.close_container(window)?;
                }
                (Expected::Key, b'}') => self.close_container(window)?,
                (Expected::Key, b'"') => match self.key(window)? {
                    None => break,
                    Some(true) => self.next = Expected::Value,
                    Some(false) if !skip_value(window)? => break,
                    Some(false) => self.next = Expected::CommaOrEnd,
                },
                (Expected::CommaOrEnd, b',') => {
                    window.advance(1);
                    self.index = self.index.map(|index| index + 1);
                    self.next = match self.within.ends_with('{') {
                        true => Expected::Key,
                        false => Expected::Value,
                    };
                }
                (Expected::CommaOrEnd, b'}') if self.within.ends_with('{') => {
                    self.close_container(window)?
                }
                (Expected::CommaOrEnd, b']') if self.within.ends_with('[') => {
                    self.close_container(window)?
                }
                (Expected::Value, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                    if let Some(found) = self.value(window, byte)? {
                        return Ok(found);
                    }
                }
                _ => return Err(malformed(window)),
            }
        }
        Ok(match self.within.is_empty() {
            true => RecordsAt::EndOfInput,
            false => RecordsAt::Truncated,
        })
    }

    /// Handles a value: the records, a container on the path, or anything else.
    fn value(&mut self, window: &mut Window, byte: u8) -> Result<Option<RecordsAt>, FrameError> {
        let depth = self.within.len();
        let segments = self.path.segments();
        let is_element = self.within.ends_with('[');
        let is_on_way =
            !is_element || self.index.is_some_and(|index| segments[depth - 1] == index.to_string());
        let is_there = is_on_way && depth == segments.len();
        match byte {
            b'[' | b'{' if is_there => {
                self.has_records = true;
                self.next = Expected::CommaOrEnd;
                self.index = None;
                Ok(Some(match byte {
                    b'[' => RecordsAt::Array,
                    _ => RecordsAt::Object,
                }))
            }
            b'n' if is_there => {
                self.has_records = true;
                self.skip_value(window)
            }
            _ if is_there => Err(FrameError::Malformed(
                format!("`{}` in the document is not an array of records", self.path.text()),
                "say where the array is: records => '/data'",
            )),
            b'{' if is_on_way => {
                window.advance(1);
                self.within.push('{');
                self.next = Expected::Key;
                Ok(None)
            }
            b'[' if is_on_way && leads_into_array(&segments[depth]) => {
                window.advance(1);
                self.within.push('[');
                self.index = Some(0);
                Ok(None)
            }
            _ if depth == 0 => Err(FrameError::Malformed(
                format!(
                    "the document is not an object, and records => '{}' says what stands in one",
                    self.path.text()
                ),
                "leave `records` out if the document is the array of records",
            )),
            _ => self.skip_value(window),
        }
    }

    fn skip_value(&mut self, window: &mut Window) -> Result<Option<RecordsAt>, FrameError> {
        self.next = Expected::CommaOrEnd;
        Ok((!skip_value(window)?).then_some(RecordsAt::Truncated))
    }

    /// Reads a key and its colon. Returns whether it is on the path; none if the content ends before.
    fn key(&mut self, window: &mut Window) -> Result<Option<bool>, FrameError> {
        let len = loop {
            match ValueScan::default().feed(window.data()) {
                Some(len) => break len,
                None if window.fill()? => {}
                None => return Ok(None),
            }
        };
        let key = string(&window.data()[..len]);
        window.advance(len);
        match window.next_non_blank()? {
            None => return Ok(None),
            Some(b':') => window.advance(1),
            Some(_) => return Err(malformed(window)),
        }
        if window.next_non_blank()?.is_none() {
            return Ok(None);
        }
        let depth = self.within.len();
        let is_on_way = key.as_ref() == self.path.segments().get(depth - 1);
        if depth == 1 && self.keys.len() < SHOWN {
            self.keys.extend(key);
        }
        Ok(Some(is_on_way))
    }

    /// Steps over the bracket that ends an object or array.
    fn close_container(&mut self, window: &mut Window) -> Result<(), FrameError> {
        window.advance(1);
        self.within.pop();
        self.index = None;
        self.next = Expected::CommaOrEnd;
        if self.within.is_empty() {
            self.next = Expected::Value;
            let keys = std::mem::take(&mut self.keys).join(", ");
            if !std::mem::take(&mut self.has_records) {
                return Err(FrameError::Malformed(
                    format!(
                        "there is no `{}` in the document that ends at byte {}; its keys: {keys}",
                        self.path.text(),
                        window.offset()
                    ),
                    "say where the array of records is: records => '/data'",
                ));
            }
        }
        Ok(())
    }
}

fn leads_into_array(segment: &str) -> bool {
    segment.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Skips a value; false if the content ends inside it.
fn skip_value(window: &mut Window) -> Result<bool, FrameError> {
    if matches!(window.next_non_blank()?, Some(b'}' | b']' | b',' | b':')) {
        return Err(malformed(window));
    }
    let mut scan = ValueScan::default();
    loop {
        let at_hand = window.data().len();
        match scan.feed(window.data()) {
            Some(len) => {
                window.advance(len);
                return Ok(true);
            }
            None => window.advance(at_hand),
        }
        if !window.fill()? {
            return Ok(false);
        }
    }
}

fn malformed(window: &Window) -> FrameError {
    FrameError::Malformed(
        format!(
            "the document around its records is not JSON, as byte {} shows",
            window.offset() + 1
        ),
        "get a sound copy of it, or mend it",
    )
}
