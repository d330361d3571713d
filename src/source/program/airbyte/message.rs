//! A message of a connector, and the values in it.

use crate::source::json::{self, Pointer, string};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// The values that are looked for.
const PLACES: [&str; 18] = [
    "/type",
    "/record/stream",
    "/record/namespace",
    "/record/data",
    "/state",
    "/state/type",
    "/state/stream/stream_descriptor/name",
    "/state/data",
    "/state/sourceStats/recordCount",
    "/state/stream/stream_descriptor/namespace",
    "/log/level",
    "/log/message",
    "/trace/type",
    "/trace/error/message",
    "/trace/stream_status/stream_descriptor/name",
    "/trace/stream_status/status",
    "/trace/stream_status/stream_descriptor/namespace",
    "/control/connectorConfig/config",
];

static POINTERS: LazyLock<Vec<Pointer>> =
    LazyLock::new(|| PLACES.iter().filter_map(|text| Pointer::parse(text)).collect());

/// The values at [`PLACES`], as JSON; none if the line is not JSON.
pub(super) struct AirbyteMessage<'a> {
    line: &'a [u8],
    spans: Vec<Option<Range<usize>>>,
}

impl<'a> AirbyteMessage<'a> {
    pub(super) fn of(line: &'a [u8]) -> Self {
        let blanks = line.len() - line.trim_ascii_start().len();
        let pointers: Vec<&Pointer> = POINTERS.iter().collect();
        let mut spans = json::find(line.trim_ascii(), &pointers).unwrap_or_default();
        for span in spans.iter_mut().flatten() {
            *span = span.start + blanks..span.end + blanks;
        }
        AirbyteMessage { line, spans }
    }

    /// The range of a value in the line.
    pub(super) fn span(&self, place: &str) -> Option<Range<usize>> {
        let number = PLACES.iter().position(|one| *one == place)?;
        self.spans.get(number)?.clone()
    }

    pub(super) fn raw(&self, place: &str) -> Option<&'a str> {
        std::str::from_utf8(&self.line[self.span(place)?]).ok()
    }

    pub(super) fn text(&self, place: &str) -> Option<String> {
        string(&self.line[self.span(place)?])
    }

    /// Whether a line that is no message looks like a broken one.
    pub(super) fn is_broken(&self) -> bool {
        let line = String::from_utf8_lossy(self.line);
        let is_object = || serde_json::from_str::<BTreeMap<String, IgnoredAny>>(&line).is_ok();
        let names_one = line.contains("\"RECORD\"") || line.contains("\"STATE\"");
        (names_one || line.trim_start().starts_with("{\"")) && !is_object()
    }
}
