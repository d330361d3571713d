//! Finds the array that `records` names in a document, and the end of the document behind it. Everything else is
//! skipped without being held, however large it is.

use crate::source::json::{Pointer, ValueScan, string};
use crate::source::records::framer::FrameError;
use crate::source::records::window::Window;

/// How many keys of a document an error shows.
const SHOWN: usize = 12;

pub(super) struct ArrayFinder {
    path: Pointer,
    /// The objects and arrays that are open around the current place, outermost first.
    within: String,
    next: Expected,
    /// Which element comes next in the innermost array; none once the one on the way is done.
    index: Option<usize>,
    /// What `within` was where this search began, to which a cut leads back.
    began: Option<String>,
    /// Whether the document has something at the end of the path.
    has_records: bool,
    keys: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    Key,
    CommaOrEnd,
}

/// What a search came to.
pub(super) enum RecordsAt {
    /// The array of records, at its bracket.
    Array,
    /// An object, which is a record by itself.
    Object,
    /// The end of the content, behind a document.
    EndOfInput,
    /// The end of the content, inside of one.
    Truncated,
}

impl ArrayFinder {
    pub(super) fn new(path: Pointer, within: String) -> Self {
        let is_open = !within.is_empty();
        ArrayFinder {
            path,
            within,
            next: if is_open {
                Expected::CommaOrEnd
            } else {
                Expected::Value
            },
            index: None,
            began: None,
            has_records: is_open,
            keys: Vec::new(),
        }
    }

    /// What has to be known to continue.
    pub(super) fn within(&self) -> &str {
        self.began.as_deref().unwrap_or(&self.within)
    }

    pub(super) fn is_between_documents(&self) -> bool {
        self.within.is_empty()
    }

    /// Whether the path leads where this search was when it was left.
    pub(super) fn path_has_changed(&self) -> bool {
        !self.within.is_empty() && self.within.len() != self.path.segments().len()
    }

    /// Goes on to the next records, in this document or another one.
    pub(super) fn seek(&mut self, window: &mut Window) -> Result<RecordsAt, FrameError> {
        window.pin();
        self.began = Some(self.within.clone());
        let found = self.walk(window)?;
        // Where a record was cut off, or what follows the last one, is read again as a whole.
        if !matches!(found, RecordsAt::Truncated) {
            window.unpin();
            self.began = None;
        }
        Ok(found)
    }

    fn walk(&mut self, window: &mut Window) -> Result<RecordsAt, FrameError> {
        while let Some(byte) = first_byte(window)? {
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

    /// A value: the records, something on the way to them, or something else.
    fn value(&mut self, window: &mut Window, byte: u8) -> Result<Option<RecordsAt>, FrameError> {
        let depth = self.within.len();
        let segments = self.path.segments();
        let is_element = self.within.ends_with('[');
        let is_on_way = !is_element
            || self
                .index
                .is_some_and(|index| segments[depth - 1] == index.to_string());
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
                format!(
                    "`{}` in the document is not an array of records",
                    self.path.text()
                ),
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

    /// Reads a key and its colon: whether it is on the way; none if the content ends before.
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
        match first_byte(window)? {
            None => return Ok(None),
            Some(b':') => window.advance(1),
            Some(_) => return Err(malformed(window)),
        }
        if first_byte(window)?.is_none() {
            return Ok(None);
        }
        let depth = self.within.len();
        let is_on_way = key.as_ref() == self.path.segments().get(depth - 1);
        if depth == 1 && self.keys.len() < SHOWN {
            self.keys.extend(key);
        }
        Ok(Some(is_on_way))
    }

    /// Behind the end of an object or array.
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

/// The first byte that is no blank.
fn first_byte(window: &mut Window) -> Result<Option<u8>, FrameError> {
    loop {
        let blank = window.data().len() - window.data().trim_ascii_start().len();
        window.advance(blank);
        match window.data().first().copied() {
            Some(byte) => return Ok(Some(byte)),
            None if window.fill()? => {}
            None => return Ok(None),
        }
    }
}

/// Passes over a value; false if the content ends inside of it.
fn skip_value(window: &mut Window) -> Result<bool, FrameError> {
    if matches!(first_byte(window)?, Some(b'}' | b']' | b',' | b':')) {
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
