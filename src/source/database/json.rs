//! Records written here, where the server writes none: objects whose values are as exact as they came.

/// An object that is being written.
pub(super) struct Object(Vec<u8>);

impl Object {
    pub(super) fn new() -> Self {
        Object(vec![b'{'])
    }

    /// Begins a member.
    fn member(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.quote(name.as_bytes());
        self.0.push(b':');
    }

    /// A member whose value is JSON already: a number, for instance.
    pub(super) fn json(&mut self, name: &str, json: &[u8]) {
        self.member(name);
        self.0.extend_from_slice(json);
    }

    /// A text. Bytes that are no UTF-8 stay as they are, and are told later.
    pub(super) fn text(&mut self, name: &str, text: &[u8]) {
        self.member(name);
        self.quote(text);
    }

    /// Bytes, as Postgres writes a `bytea`.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.member(name);
        self.0.extend_from_slice(b"\"\\\\x");
        self.0.extend_from_slice(hex::encode(bytes).as_bytes());
        self.0.push(b'"');
    }

    fn quote(&mut self, text: &[u8]) {
        self.0.push(b'"');
        for byte in text {
            match byte {
                b'"' | b'\\' => self.0.extend_from_slice(&[b'\\', *byte]),
                0..0x20 => self
                    .0
                    .extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => self.0.push(*byte),
            }
        }
        self.0.push(b'"');
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}
