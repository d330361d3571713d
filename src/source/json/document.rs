//! Looks into a JSON document without parsing it: where values stand, by JSON pointer.
//!
//! Only brackets, quotes and the keys on the way are looked at. Everything else stays the
//! bytes that came, so that a record that is no sound JSON spoils itself and not its page.

use std::ops::Range;

use super::pointer::Pointer;
use super::scan::ValueScan;

/// Why a document cannot be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Fault {
    /// It ends before its value does.
    Incomplete,
    /// It is no JSON document, as the byte at this offset shows.
    Malformed(usize),
}

/// Where each of `pointers` leads, if anywhere. Of a repeated key the last one counts, as
/// in jsonb. The whole document is walked, so success proves that it is all there.
pub(in crate::source) fn find(
    bytes: &[u8],
    pointers: &[&Pointer],
) -> Result<Vec<Option<Range<usize>>>, Fault> {
    let mut walk = Walk {
        bytes,
        at: 0,
        found: vec![None; pointers.len()],
        pointers,
    };
    let all: Vec<usize> = (0..pointers.len()).collect();
    walk.blanks();
    walk.value(&all, 0)?;
    walk.blanks();
    match walk.peek() {
        None => Ok(walk.found),
        Some(_) => Err(Fault::Malformed(walk.at)),
    }
}

/// How many elements an array has; anything else has none.
pub(in crate::source) fn count_elements(array: &[u8]) -> u64 {
    let mut walk = Walk {
        bytes: array,
        at: 0,
        found: Vec::new(),
        pointers: &[],
    };
    let mut count = 0;
    if walk.peek() != Some(b'[') {
        return 0;
    }
    walk.at = 1;
    walk.blanks();
    while !matches!(walk.peek(), None | Some(b']')) {
        match walk.peek() {
            Some(b',') => walk.at += 1,
            _ if walk.skip().is_ok() => count += 1,
            _ => break,
        }
        walk.blanks();
    }
    count
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    pointers: &'a [&'a Pointer],
    found: Vec<Option<Range<usize>>>,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn need(&self) -> Result<u8, Fault> {
        self.peek().ok_or(Fault::Incomplete)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        match self.need()? == byte {
            true => self.at += 1,
            false => return Err(Fault::Malformed(self.at)),
        }
        self.blanks();
        Ok(())
    }

    /// Passes a value. `live` are the pointers that lead here or on from here; `depth` of
    /// their segments are behind us.
    fn value(&mut self, live: &[usize], depth: usize) -> Result<(), Fault> {
        let start = self.at;
        let goes_on = |&&index: &&usize| self.pointers[index].segments.len() > depth;
        let deeper: Vec<usize> = live.iter().filter(goes_on).copied().collect();
        match self.need()? {
            b'{' if !deeper.is_empty() => self.object(&deeper, depth)?,
            b'[' if !deeper.is_empty() => self.array(&deeper, depth)?,
            _ => self.skip()?,
        }
        for &index in live {
            if self.pointers[index].segments.len() == depth {
                self.found[index] = Some(start..self.at);
            }
        }
        Ok(())
    }

    fn object(&mut self, live: &[usize], depth: usize) -> Result<(), Fault> {
        self.expect(b'{')?;
        if self.need()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.need()? != b'"' {
                return Err(Fault::Malformed(self.at));
            }
            let start = self.at;
            self.skip()?;
            let key = string(&self.bytes[start..self.at]);
            self.blanks();
            self.expect(b':')?;
            self.member(live, depth, key.as_deref())?;
            match self.need()? {
                b',' => self.expect(b',')?,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Fault::Malformed(self.at)),
            }
        }
    }

    fn array(&mut self, live: &[usize], depth: usize) -> Result<(), Fault> {
        self.expect(b'[')?;
        if self.need()? == b']' {
            self.at += 1;
            return Ok(());
        }
        for index in 0_u64.. {
            self.member(live, depth, Some(&index.to_string()))?;
            match self.need()? {
                b',' => self.expect(b',')?,
                b']' => break,
                _ => return Err(Fault::Malformed(self.at)),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn member(&mut self, live: &[usize], depth: usize, name: Option<&str>) -> Result<(), Fault> {
        let is_meant = |&&index: &&usize| Some(&*self.pointers[index].segments[depth]) == name;
        let meant: Vec<usize> = live.iter().filter(is_meant).copied().collect();
        // What an earlier key of the same name led to is gone.
        for &index in &meant {
            self.found[index] = None;
        }
        match meant.is_empty() {
            true => self.skip()?,
            false => self.value(&meant, depth + 1)?,
        }
        self.blanks();
        Ok(())
    }

    /// Passes a value by counting brackets and quotes.
    fn skip(&mut self) -> Result<(), Fault> {
        if matches!(self.need()?, b'}' | b']' | b',' | b':') {
            return Err(Fault::Malformed(self.at));
        }
        let rest = &self.bytes[self.at..];
        self.at += match ValueScan::default().feed(rest) {
            Some(len) => len,
            // At the very end of a document a number may go on.
            None if matches!(rest, b"true" | b"false" | b"null") => rest.len(),
            None => return Err(Fault::Incomplete),
        };
        Ok(())
    }
}

/// The text of a JSON string.
pub(in crate::source) fn string(json: &[u8]) -> Option<String> {
    serde_json::from_slice(json).ok()
}

#[cfg(test)]
mod tests;
