//! Airbyte connectors: `discover` and `read`, their records, states and statuses.

mod catalog;
mod config;
mod spec;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use self::catalog::Wanted;
use super::command::{Files, command, given};
use super::message_parser::{CatalogStream, Completeness, MessageParser, Parsed};
use super::output::Output;
use super::settings::{Settings, SyncMode};
use crate::error::Result;
use crate::source::json::{self, Pointer, string};
use crate::source::secret::Redactor;
use crate::source::{Declared, SourceContext};
use serde_json::{Value, json};

/// What is looked for in a message, in the order of [`Parts`].
static PLACES: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    let places = [
        "/type",
        "/record/stream",
        "/record/namespace",
        "/record/data",
        "/state",
        "/state/type",
        "/state/stream/stream_descriptor/name",
        "/state/data",
        "/state/sourceStats/recordCount",
        "/log/level",
        "/log/message",
        "/trace/type",
        "/trace/error/message",
        "/trace/stream_status/stream_descriptor/name",
        "/trace/stream_status/status",
        "/control/connectorConfig/config",
        "/trace/stream_status/stream_descriptor/namespace",
        "/state/stream/stream_descriptor/namespace",
    ];
    places
        .iter()
        .filter_map(|text| Pointer::parse(text))
        .collect()
});

struct Connector {
    wanted: Vec<Wanted>,
    config: Option<PathBuf>,
    secrets: Arc<Redactor>,
    /// What it said last of each of them.
    statuses: Vec<Option<String>>,
    /// What it said went wrong.
    error: Option<String>,
    /// Gone with the run.
    _files: Files,
}

/// What the connector says of its streams.
pub(super) fn catalog(settings: &Settings, context: &SourceContext) -> Result<Value> {
    catalog::find(settings, context)
}

/// What it says of its stream.
pub(super) fn declared(settings: &Settings, catalog: &Value) -> Result<Declared> {
    Wanted::of(settings, catalog).map(|wanted| wanted.declared())
}

/// The stream of the pipeline.
pub(super) fn find(settings: &Settings, catalog: &Value) -> Result<CatalogStream> {
    let wanted = Wanted::of(settings, catalog)?;
    Ok(CatalogStream {
        completeness: match wanted.mode {
            SyncMode::FullRefresh => Completeness::EachRun,
            SyncMode::Incremental => Completeness::Never,
        },
        identity: wanted.identity(),
    })
}

/// Starts the connector at `state`.
pub(super) fn start(
    settings: &[&Settings],
    catalog: &Value,
    state: Option<&str>,
    context: &SourceContext,
) -> Result<(Output, Box<dyn MessageParser>)> {
    let files = Files::new()?;
    let wanted = settings.iter().map(|one| Wanted::of(one, catalog));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let streams: Vec<Value> = wanted.iter().map(Wanted::configured).collect();
    let catalog = json!({"streams": streams}).to_string();
    let catalog = files.write("catalog.json", catalog.as_bytes())?;
    // They differ in the stream.
    let settings = settings[0];
    let mut command = command(settings, context)?;
    command.arg("read");
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, context)?);
    }
    command.arg("--catalog").arg(catalog);
    if let Some(state) = state {
        command
            .arg("--state")
            .arg(files.write("state.json", state.as_bytes())?);
    }
    let output = Output::of(command, &settings.program, settings.silence(), context)?;
    let connector = Connector {
        statuses: vec![None; wanted.len()],
        wanted,
        config: settings.config.clone(),
        secrets: Arc::clone(&context.secrets),
        error: None,
        _files: files,
    };
    Ok((output, Box::new(connector)))
}

impl Connector {
    /// How the pipeline calls a stream.
    fn called(&self, name: String, namespace: Option<String>) -> String {
        let mut wanted = self.wanted.iter();
        let found = wanted.find(|one| one.is(&name, namespace.as_deref()));
        match (found, namespace) {
            (Some(found), _) => found.setting.clone(),
            (None, Some(space)) => format!("{space}.{name}"),
            (None, None) => name,
        }
    }

    /// The same where the namespace may have been left out.
    fn meant(&self, name: String, namespace: Option<String>) -> String {
        let named = || self.wanted.iter().filter(|one| one.name == name);
        match (&namespace, named().count()) {
            (None, 1) => named().map(|one| one.setting.clone()).collect(),
            _ => self.called(name, namespace),
        }
    }

    /// A state as the connector is to be given it again: that of a stream or of all in a list, an old one
    /// bare.
    fn state(&self, parts: &Parts<'_>) -> Result<Parsed, String> {
        let senseless = || "printed a STATE that is none".to_owned();
        let whole = parts.raw(4).ok_or_else(senseless)?;
        let mut stream = None;
        let text = match parts.text(5).as_deref() {
            Some("STREAM") => {
                let name = parts.text(6).ok_or_else(senseless)?;
                stream = Some(self.meant(name, parts.text(17)));
                format!("[{whole}]")
            }
            Some("GLOBAL") => format!("[{whole}]"),
            None | Some("LEGACY") => parts.raw(7).ok_or_else(senseless)?.to_owned(),
            Some(other) => {
                return Err(format!(
                    "printed a STATE of type {other}, which is not known"
                ));
            }
        };
        let count = parts.raw(8).and_then(|count| count.parse::<f64>().ok());
        Ok(Parsed::State {
            stream,
            text,
            records: count.map(|count| count as u64),
        })
    }
}

/// The values at [`PLACES`], with their quotes if they are strings.
struct Parts<'a> {
    line: &'a [u8],
    spans: Vec<Option<Range<usize>>>,
}

impl Parts<'_> {
    fn span(&self, place: usize) -> Option<Range<usize>> {
        self.spans[place].clone()
    }

    fn raw(&self, place: usize) -> Option<&str> {
        std::str::from_utf8(&self.line[self.span(place)?]).ok()
    }

    fn text(&self, place: usize) -> Option<String> {
        string(&self.line[self.span(place)?])
    }
}

impl MessageParser for Connector {
    fn payload(&self) -> &'static str {
        "data"
    }

    fn parse(&mut self, line: &mut Vec<u8>) -> Result<Parsed, String> {
        let start = line.len() - line.trim_ascii_start().len();
        let pointers: Vec<&Pointer> = PLACES.iter().collect();
        let found = json::find(line.trim_ascii(), &pointers);
        let parts = Parts {
            line: line.trim_ascii(),
            spans: found.unwrap_or_else(|_| vec![None; PLACES.len()]),
        };
        let Some(kind) = parts.text(0) else {
            // What is no message counts as something for the log.
            let text = self.secrets.clean(&String::from_utf8_lossy(line));
            tracing::info!(program = "airbyte", "{}", text.trim_end());
            return Ok(Parsed::Nothing);
        };
        match kind.as_str() {
            "RECORD" => {
                let payload = parts.span(3).ok_or("printed a RECORD without data")?;
                Ok(Parsed::Record {
                    stream: self.called(parts.text(1).unwrap_or_default(), parts.text(2)),
                    payload: payload.start + start..payload.end + start,
                    version: None,
                })
            }
            "STATE" => self.state(&parts),
            "LOG" => {
                let text = self.secrets.clean(&parts.text(10).unwrap_or_default());
                match parts.text(9).as_deref() {
                    Some("FATAL" | "ERROR" | "WARN") => {
                        tracing::warn!(program = "airbyte", "{text}")
                    }
                    _ => tracing::info!(program = "airbyte", "{text}"),
                }
                Ok(Parsed::Nothing)
            }
            "TRACE" => {
                let (kind, message, name, status) = (
                    parts.text(11),
                    parts.text(12),
                    parts.text(13),
                    parts.text(14),
                );
                match kind.as_deref() {
                    Some("ERROR") => {
                        let message = message.unwrap_or_else(|| "without a message".to_owned());
                        self.error = Some(self.secrets.clean(&message));
                    }
                    Some("STREAM_STATUS") => {
                        let stream = self.meant(name.unwrap_or_default(), parts.text(16));
                        let of = self.wanted.iter().position(|one| one.setting == stream);
                        if let Some(of) = of {
                            self.statuses[of] = status;
                        }
                    }
                    _ => {}
                }
                Ok(Parsed::Nothing)
            }
            "CONTROL" => {
                let changed = parts.raw(15).map(str::to_owned);
                // Nobody is to see it, not in an error either.
                line.clear();
                match (changed, &self.config) {
                    (Some(changed), Some(path)) => {
                        config::save(path, &changed).map(Parsed::Remark)
                    }
                    (Some(_), None) => Err(
                        "changes its configuration (CONTROL), and there is no `config` to write that to"
                            .to_owned(),
                    ),
                    (None, _) => Ok(Parsed::Nothing),
                }
            }
            _ => Ok(Parsed::Nothing),
        }
    }

    fn end(&self, stream: usize) -> Result<(), String> {
        match (&self.error, self.statuses[stream].as_deref()) {
            (Some(error), _) => Err(format!("says that it failed: {error}")),
            (None, None | Some("COMPLETE")) => Ok(()),
            (None, Some(status)) => Err(format!(
                "ended while the stream `{}` was {status}, and not COMPLETE",
                self.wanted[stream].name
            )),
        }
    }
}
