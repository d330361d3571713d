//! Decides the encoding of content.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::choice::EncodingName;
use super::content::Content;
use super::position::ParserState;
use super::reader::RecordReader;
use super::settings::RecordSettings;
use crate::error::{Error, Result};

impl RecordSettings {
    /// Whether the encoding is UTF-8, by the settings.
    pub(crate) fn is_utf8(&self) -> bool {
        self.encoding.and_then(EncodingName::unless_utf8).is_none()
    }

    /// The encoding of content that is resumed at `parser`, if it is not UTF-8. A byte order mark at its
    /// start takes precedence over the setting.
    pub(crate) fn encoding(&self, parser: &ParserState) -> Option<&'static Encoding> {
        let of_mark = parser.encoding.as_deref().and_then(EncodingName::find);
        of_mark.or(self.encoding).and_then(EncodingName::unless_utf8)
    }
}

impl RecordReader {
    /// Decodes the content if it is not UTF-8.
    pub(super) fn settle_encoding(
        &mut self,
        settings: &RecordSettings,
        parser: &ParserState,
    ) -> Result<()> {
        let mut encoding = settings.encoding(parser);
        let of_mark = parser.encoding.as_deref().and_then(EncodingName::find);
        self.encoding_of_mark = of_mark.map(|found| found.encoding());
        if self.window.offset() == 0 {
            self.fill_to(4)?;
            if let Some((found, len)) = Encoding::for_bom(self.window.data()) {
                self.window.advance(len);
                self.encoding_of_mark = Some(found);
                encoding = EncodingName::of(found).unless_utf8();
            }
            self.refuse_bare_utf16(encoding)?;
        }
        if let Some(encoding) = encoding {
            self.window.decode_from(encoding);
        }
        Ok(())
    }

    /// UTF-16 of mostly ASCII text has a NUL in every second byte.
    fn refuse_bare_utf16(&self, taken_for: Option<&'static Encoding>) -> Result<()> {
        let head = self.window.data();
        let head = &head[..head.len().min(1024)];
        let nuls = |odd: usize| {
            let bytes = head.iter().skip(odd).step_by(2);
            bytes.filter(|byte| **byte == 0).count()
        };
        let found = match (nuls(0), nuls(1)) {
            (0, n) if n > 1 && n * 3 > head.len() => UTF_16LE,
            (n, 0) if n > 1 && n * 3 > head.len() => UTF_16BE,
            _ => return Ok(()),
        };
        if taken_for == Some(found) {
            return Ok(());
        }
        let name = found.name();
        Err(Error::failed(format!(
            "{} `{}` looks like {name} without a byte order mark",
            self.noun(),
            self.name()
        ))
        .next(format!("is it? Then say encoding => '{}'", name.to_ascii_lowercase())))
    }
}
