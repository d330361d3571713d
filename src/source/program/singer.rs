//! Singer taps: SCHEMA, RECORD and STATE, one a line, and ACTIVATE_VERSION.

mod catalog;

use std::ops::Range;
use std::sync::LazyLock;

use super::command::{TempFiles, command, given};
use super::message_parser::{CatalogStream, Completeness, MessageParser, Parsed};
use super::output::Output;
use super::settings::ProgramSettings;
use crate::error::Result;
use crate::source::json::{self, Pointer, string};
use crate::source::{Declared, SourceContext};
use serde_json::Value;

/// What is looked for in a message.
static PLACES: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    let places = ["/type", "/stream", "/record", "/version", "/value"];
    places.iter().filter_map(|text| Pointer::parse(text)).collect()
});

struct SingerTap {
    streams: Vec<String>,
    /// Gone with the run.
    _files: TempFiles,
}

/// What the tap says of its streams, unless it is not to be asked.
pub(super) fn catalog(
    settings: &ProgramSettings,
    context: &SourceContext,
) -> Result<Option<Value>> {
    catalog::find(settings, context)
}

/// What the tap says of its stream.
pub(super) fn declared(settings: &ProgramSettings, catalog: &Value) -> Result<Declared> {
    catalog::declared(settings, catalog)
}

/// The stream of the pipeline.
pub(super) fn find(settings: &ProgramSettings, catalog: Option<&Value>) -> Result<CatalogStream> {
    let identity = match catalog {
        Some(catalog) => catalog::identity(settings, catalog)?,
        None => settings.stream.clone(),
    };
    let completeness = match settings.complete {
        Some(true) => Completeness::EachRun,
        Some(false) => Completeness::Never,
        None => Completeness::Version,
    };
    Ok(CatalogStream { identity, completeness })
}

/// Starts the tap at `state`.
pub(super) fn start(
    settings: &[&ProgramSettings],
    catalog: Option<&Value>,
    state: Option<&str>,
    context: &SourceContext,
) -> Result<(Output, Box<dyn MessageParser>)> {
    let files = TempFiles::new()?;
    let streams: Vec<String> = settings.iter().map(|one| one.stream.clone()).collect();
    // They differ in the stream.
    let settings = settings[0];
    let mut command = command(settings, context)?;
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, context)?);
    }
    if let Some(catalog) = catalog {
        let selected = catalog::select(&streams, catalog).to_string();
        command.arg("--catalog").arg(files.write("catalog.json", selected.as_bytes())?);
    }
    if let Some(state) = state {
        let state = files.write("state.json", state.as_bytes())?;
        command.arg("--state").arg(state);
    }
    let output = Output::of(command, &settings.program, settings.silence(), context)?;
    let tap = SingerTap { streams, _files: files };
    Ok((output, Box::new(tap)))
}

impl MessageParser for SingerTap {
    fn payload(&self) -> &'static str {
        "record"
    }

    fn parse(&mut self, whole: &mut Vec<u8>) -> Result<Parsed, String> {
        let line = whole.trim_ascii();
        let garbage = || {
            "printed something that is not a Singer message; nothing else may be on stdout"
                .to_owned()
        };
        let pointers: Vec<&Pointer> = PLACES.iter().collect();
        let mut found = json::find(line, &pointers).map_err(|_| garbage())?.into_iter();
        let mut next = || found.next().flatten();
        let (kind, stream, record, version, value) = (next(), next(), next(), next(), next());
        // Blanks before it are in the line still.
        let offset = whole.len() - whole.trim_ascii_start().len();
        let text = |span: Option<Range<usize>>| string(&line[span?]);
        let number = |span: Option<Range<usize>>| {
            std::str::from_utf8(&line[span?]).ok()?.parse::<i64>().ok()
        };
        let said = text(kind).ok_or_else(garbage)?;
        let kind = said.to_ascii_uppercase();
        let stream = match text(stream) {
            None if kind == "RECORD" => return Err("printed a RECORD without a stream".to_owned()),
            stream => stream.unwrap_or_default(),
        };
        Ok(match kind.as_str() {
            "RECORD" => {
                let payload = record.ok_or("printed a RECORD without a record")?;
                Parsed::Record {
                    stream,
                    payload: payload.start + offset..payload.end + offset,
                    version: number(version),
                }
            }
            "STATE" => {
                let value = value.ok_or("printed a STATE without a value")?;
                let state = std::str::from_utf8(&line[value]).map_err(|_| garbage())?;
                Parsed::State { stream: None, text: state.to_owned(), records: None }
            }
            "SCHEMA" => Parsed::Stream(stream),
            "ACTIVATE_VERSION" => {
                let version =
                    number(version).ok_or("printed an ACTIVATE_VERSION without a version")?;
                Parsed::VersionComplete { stream, version }
            }
            "BATCH" if self.streams.contains(&stream) => {
                return Err("gives its records as files (BATCH), which are not read: leave `batch_config` out of its configuration".to_owned());
            }
            "BATCH" => Parsed::Stream(stream),
            _ => Parsed::unknown(&said),
        })
    }
}
