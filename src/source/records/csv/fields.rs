//! The fields of a row of CSV, however many there are.

use serde_json::Value;

use crate::error::Result;
use crate::source::records::choice::Format;
use crate::source::records::format::dialect;
use crate::source::records::row::RowEncoder;
use crate::source::records::scan::{RowLimits, RowScan};
use crate::source::records::settings::parse_shared;

/// Separates the fields of rows as the reader does.
pub(crate) struct RowFields {
    encoder: RowEncoder,
    scan: RowScan,
}

impl RowFields {
    /// As `settings` of CSV say.
    pub(crate) fn new(settings: &Value) -> Result<Self> {
        let settings = parse_shared(settings)?;
        let limits = RowLimits { bytes: settings.max_record_bytes, lines: u64::MAX };
        let dialect = dialect(&settings, settings.format.unwrap_or(Format::Csv));
        Ok(RowFields {
            encoder: RowEncoder::new(dialect.clone(), &[]),
            scan: RowScan::new(dialect, limits),
        })
    }

    /// The fields, and whether a quote is not closed where a field ends.
    pub(crate) fn of(&mut self, row: &str) -> (Vec<String>, bool) {
        self.scan.restart();
        self.scan.feed(row.as_bytes());
        (self.encoder.fields(row.as_bytes()).unwrap_or_default(), self.scan.has_open_quote())
    }
}
