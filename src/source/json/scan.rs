//! Where a JSON value ends: by brackets and quotes alone, so that what is not valid JSON inside it stays
//! the bytes that came.

/// Finds the end of one value, chunk by chunk.
#[derive(Debug, Default)]
pub(crate) struct ValueScan {
    depth: u64,
    kind: Extent,
    in_string: bool,
    is_escaped: bool,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum Extent {
    #[default]
    Unbegun,
    /// Ends with its bracket or quote.
    Closed,
    /// A number or a word: ends where something else begins.
    Open,
}

impl ValueScan {
    /// Whether `bytes` are one value that shows its own end, and nothing else.
    pub(crate) fn is_whole(bytes: &[u8]) -> bool {
        let mut value = ValueScan::default();
        value.feed(bytes) == Some(bytes.len()) && value.kind == Extent::Closed
    }

    /// The end of the value, if it is in these bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.kind == Extent::Unbegun {
            match bytes.first()? {
                b'{' | b'[' => (self.kind, self.depth) = (Extent::Closed, 1),
                b'"' => (self.kind, self.in_string) = (Extent::Closed, true),
                _ => self.kind = Extent::Open,
            }
            at = 1;
        }
        if self.kind == Extent::Open {
            return bytes[at..].iter().position(ends_word).map(|i| at + i);
        }
        while at < bytes.len() {
            if self.in_string {
                if std::mem::take(&mut self.is_escaped) {
                    at += 1;
                    continue;
                }
                let hit = at + memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                at = hit + 1;
                if bytes[hit] == b'\\' {
                    self.is_escaped = true;
                    continue;
                }
                self.in_string = false;
            } else {
                let hit = at + bytes[at..].iter().position(is_structure)?;
                at = hit + 1;
                match bytes[hit] {
                    b'"' => {
                        self.in_string = true;
                        continue;
                    }
                    b'{' | b'[' => self.depth += 1,
                    _ => self.depth -= 1,
                }
            }
            if self.depth == 0 {
                return Some(at);
            }
        }
        None
    }
}

fn is_structure(byte: &u8) -> bool {
    matches!(byte, b'"' | b'{' | b'}' | b'[' | b']')
}

fn ends_word(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}' | b'[' | b'{' | b'"')
}
