//! Makes JSON objects of rows if the server cannot, with values exactly as they came.

use super::row_sender::JsonRow;

/// An object that is being written.
pub(super) struct JsonObjectWriter(JsonRow);

impl JsonObjectWriter {
    pub(super) fn new() -> Self {
        JsonObjectWriter(JsonRow { payload: vec![b'{'], values: Vec::new() })
    }

    fn member(&mut self, name: &str, write_value: impl FnOnce(&mut Vec<u8>)) {
        let JsonRow { payload, values } = &mut self.0;
        if !values.is_empty() {
            payload.push(b',');
        }
        quote(name.as_bytes(), payload);
        payload.push(b':');
        let start = payload.len();
        write_value(payload);
        values.push(start..payload.len());
    }

    /// A member whose value is JSON already: a number, for instance.
    pub(super) fn json(&mut self, name: &str, json: &[u8]) {
        self.member(name, |out| out.extend_from_slice(json));
    }

    /// A text. Bytes that are not UTF-8 stay as they are, and are reported later.
    pub(super) fn text(&mut self, name: &str, text: &[u8]) {
        self.member(name, |out| quote(text, out));
    }

    /// Bytes, as Postgres writes a `bytea`.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.member(name, |out| {
            out.extend_from_slice(b"\"\\\\x");
            out.extend_from_slice(hex::encode(bytes).as_bytes());
            out.push(b'"');
        });
    }

    pub(super) fn finish(mut self) -> JsonRow {
        self.0.payload.push(b'}');
        self.0
    }
}

fn quote(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}
