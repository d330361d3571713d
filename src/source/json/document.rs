//! Looks into a JSON document without parsing it: where values are, by JSON pointer.
//!
//! Only brackets, quotes and the keys on the way are looked at. Everything else stays as it came, so that a
//! record that is not valid JSON spoils itself and not its page.

use std::ops::Range;

use super::pointer::Pointer;
use super::scan::ValueScan;

/// Why a document cannot be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It ends before its value does.
    Incomplete,
    /// It is not a JSON document, as the byte at this offset shows.
    Malformed(usize),
    /// What is taken apart stands in it twice: one of them would be lost.
    Repeated,
}

/// Where each of `pointers` leads, if anywhere. Of a repeated key the last one counts, as
/// in jsonb. The whole document is walked, so success proves that it is all there.
pub(crate) fn find(
    bytes: &[u8],
    pointers: &[&Pointer],
) -> Result<Vec<Option<Range<usize>>>, JsonError> {
    Ok(walk(bytes, pointers, None)?.0)
}

/// Whether an array or an object is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Array,
    Object,
}

/// The elements of an array, or the members of an object with their keys.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) spans: Vec<Range<u32>>,
    /// Those that are not valid, by index, and what is wrong.
    pub(crate) faults: Vec<(usize, String)>,
}

/// Where each pointer leads, and the parts of that to which the first does.
pub(crate) type Outline = (Vec<Option<Range<usize>>>, Parts);

/// [`find`], and in the same walk the parts of that to which the first pointer leads, which must not be repeated.
pub(crate) fn find_parts(
    bytes: &[u8],
    pointers: &[&Pointer],
    shape: Container,
) -> Result<Outline, JsonError> {
    walk(bytes, pointers, Some(shape))
}

fn walk(
    bytes: &[u8],
    pointers: &[&Pointer],
    shape: Option<Container>,
) -> Result<Outline, JsonError> {
    let mut walk = DocumentWalk {
        bytes,
        at: 0,
        found: vec![None; pointers.len()],
        pointers,
        shape,
        parts: Parts::default(),
    };
    let all: Vec<usize> = (0..pointers.len()).collect();
    walk.blanks();
    walk.value(&all, 0)?;
    walk.blanks();
    match walk.peek() {
        None => Ok((walk.found, walk.parts)),
        Some(_) => Err(JsonError::Malformed(walk.at)),
    }
}

struct DocumentWalk<'a> {
    bytes: &'a [u8],
    at: usize,
    pointers: &'a [&'a Pointer],
    found: Vec<Option<Range<usize>>>,
    /// What the first pointer is to lead to, whose parts are wanted.
    shape: Option<Container>,
    parts: Parts,
}

impl DocumentWalk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn need(&self) -> Result<u8, JsonError> {
        self.peek().ok_or(JsonError::Incomplete)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        match self.need()? == byte {
            true => self.at += 1,
            false => return Err(JsonError::Malformed(self.at)),
        }
        self.blanks();
        Ok(())
    }

    /// Passes a value. `live` are the pointers that lead here or on from here; `depth` of their segments
    /// are done.
    fn value(&mut self, live: &[usize], depth: usize) -> Result<(), JsonError> {
        let start = self.at;
        let goes_on = |&&index: &&usize| self.pointers[index].segments.len() > depth;
        let mut deeper: Vec<usize> = live.iter().filter(goes_on).copied().collect();
        let are_parts = live.first() == Some(&0) && deeper.first() != Some(&0);
        let wanted = self.shape.filter(|_| are_parts);
        if wanted.is_some() {
            self.parts = Parts::default();
        }
        match self.need()? {
            b'{' if !deeper.is_empty() || wanted == Some(Container::Object) => {
                self.object(&deeper, depth, wanted == Some(Container::Object))?;
            }
            b'[' => {
                // Only numbers lead on here.
                deeper.retain(|&index| {
                    let segment = self.pointers[index].segments[depth].as_bytes();
                    segment.first().is_some_and(u8::is_ascii_digit)
                });
                match wanted {
                    Some(Container::Array) => self.elements(&deeper, depth)?,
                    _ if deeper.is_empty() => self.skip()?,
                    _ => self.array(&deeper, depth)?,
                }
            }
            _ => self.skip()?,
        }
        for &index in live {
            if self.pointers[index].segments.len() == depth {
                self.found[index] = Some(start..self.at);
            }
        }
        Ok(())
    }

    fn object(&mut self, live: &[usize], depth: usize, are_parts: bool) -> Result<(), JsonError> {
        self.expect(b'{')?;
        if self.need()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.need()? != b'"' {
                return Err(JsonError::Malformed(self.at));
            }
            let start = self.at;
            self.skip()?;
            let key = match live.is_empty() {
                true => None,
                false => super::string(&self.bytes[start..self.at]),
            };
            self.blanks();
            self.expect(b':')?;
            self.member(live, depth, key.as_deref())?;
            if are_parts {
                self.note_part(start);
            }
            self.blanks();
            match self.need()? {
                b',' => self.expect(b',')?,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(JsonError::Malformed(self.at)),
            }
        }
    }

    fn array(&mut self, live: &[usize], depth: usize) -> Result<(), JsonError> {
        self.expect(b'[')?;
        if self.need()? == b']' {
            self.at += 1;
            return Ok(());
        }
        for index in 0_u64.. {
            self.member(live, depth, Some(&index.to_string()))?;
            self.blanks();
            match self.need()? {
                b',' => self.expect(b',')?,
                b']' => break,
                _ => return Err(JsonError::Malformed(self.at)),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// The elements that are wanted: what is wrong between two of them spoils neither.
    fn elements(&mut self, live: &[usize], depth: usize) -> Result<(), JsonError> {
        self.expect(b'[')?;
        let (mut is_behind_comma, mut is_behind_element) = (false, false);
        loop {
            let (start, at) = (self.at, self.at + 1);
            match self.need()? {
                b']' => {
                    if is_behind_comma {
                        let what = format!("the array ends in a comma before byte {at}");
                        self.note_fault(start, what);
                    }
                    self.at += 1;
                    return Ok(());
                }
                b',' => {
                    if !is_behind_element {
                        let what = format!("the array has an empty element before byte {at}");
                        self.note_fault(start, what);
                    }
                    self.expect(b',')?;
                    (is_behind_comma, is_behind_element) = (true, false);
                    continue;
                }
                byte if is_behind_element || matches!(byte, b'}' | b':') => {
                    let rest = &self.bytes[start..];
                    self.at += memchr::memchr2(b',', b']', rest).ok_or(JsonError::Incomplete)?;
                    let what = match is_behind_element {
                        true => format!(
                            "there must be `,` or `]` at byte {at}, behind an element of the array"
                        ),
                        false => format!("`{}` at byte {at} begins no value", char::from(byte)),
                    };
                    self.note_fault(start, what);
                }
                _ => {
                    let index = self.parts.spans.len().to_string();
                    self.member(live, depth, (!live.is_empty()).then_some(&index))?;
                    self.note_part(start);
                }
            }
            self.blanks();
            (is_behind_comma, is_behind_element) = (false, true);
        }
    }

    fn note_part(&mut self, start: usize) {
        // Documents are smaller than 4 GiB: `max_page_bytes` sees to it.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.parts.spans.push(place(start)..place(self.at));
    }

    fn note_fault(&mut self, start: usize, what: String) {
        self.parts.faults.push((self.parts.spans.len(), what));
        self.note_part(start);
    }

    fn member(
        &mut self,
        live: &[usize],
        depth: usize,
        name: Option<&str>,
    ) -> Result<(), JsonError> {
        let is_meant = |&&index: &&usize| Some(&*self.pointers[index].segments[depth]) == name;
        let meant: Vec<usize> = live.iter().filter(is_meant).copied().collect();
        // What an earlier key of the same name led to is gone.
        for &index in &meant {
            if index == 0 && self.shape.is_some() && self.found[0].is_some() {
                return Err(JsonError::Repeated);
            }
            self.found[index] = None;
        }
        match meant.is_empty() {
            true => self.skip(),
            false => self.value(&meant, depth + 1),
        }
    }

    /// Passes a value by counting brackets and quotes.
    fn skip(&mut self) -> Result<(), JsonError> {
        if matches!(self.need()?, b'}' | b']' | b',' | b':') {
            return Err(JsonError::Malformed(self.at));
        }
        let rest = &self.bytes[self.at..];
        self.at += match ValueScan::default().feed(rest) {
            Some(len) => len,
            // At the very end of a document a number may go on.
            None if matches!(rest, b"true" | b"false" | b"null") => rest.len(),
            None => return Err(JsonError::Incomplete),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
