//! Airbyte connectors: `discover` and `read`, their records, states and statuses.

mod catalog;
mod config;
mod message;
mod spec;

use std::path::PathBuf;
use std::sync::Arc;

use self::catalog::ConfiguredStream;
use self::message::AirbyteMessage;
use super::command::{TempFiles, command, given};
use super::message_parser::{CatalogStream, Completeness, MessageParser, Parsed};
use super::output::Output;
use super::settings::{ProgramSettings, SyncMode};
use crate::error::Result;
use crate::source::secret::Redactor;
use crate::source::{Declared, SourceContext};
use serde_json::{Value, json};

struct AirbyteConnector {
    wanted: Vec<ConfiguredStream>,
    config: Option<PathBuf>,
    secrets: Arc<Redactor>,
    /// The last status of each stream.
    statuses: Vec<Option<String>>,
    /// The error that the connector reported.
    error: Option<String>,
    /// Deleted after the run.
    _files: TempFiles,
}

/// The catalog of the connector.
pub(super) fn catalog(settings: &ProgramSettings, context: &SourceContext) -> Result<Value> {
    catalog::find(settings, context)
}

/// The fields that the catalog declares for the stream.
pub(super) fn declared(settings: &ProgramSettings, catalog: &Value) -> Result<Declared> {
    ConfiguredStream::of(settings, catalog).map(|wanted| wanted.declared())
}

/// The stream of the pipeline.
pub(super) fn find(settings: &ProgramSettings, catalog: &Value) -> Result<CatalogStream> {
    let wanted = ConfiguredStream::of(settings, catalog)?;
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
    settings: &[&ProgramSettings],
    catalog: &Value,
    state: Option<&str>,
    context: &SourceContext,
) -> Result<(Output, Box<dyn MessageParser>)> {
    let files = TempFiles::new()?;
    let wanted = settings.iter().map(|one| ConfiguredStream::of(one, catalog));
    let wanted = wanted.collect::<Result<Vec<_>>>()?;
    let streams: Vec<Value> = wanted.iter().map(ConfiguredStream::configured).collect();
    let catalog = json!({"streams": streams}).to_string();
    let catalog = files.write("catalog.json", catalog.as_bytes())?;
    // They differ in the stream alone.
    let settings = settings[0];
    let mut command = command(settings, context)?;
    command.arg("read");
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, context)?);
    }
    command.arg("--catalog").arg(catalog);
    if let Some(state) = state {
        command.arg("--state").arg(files.write("state.json", state.as_bytes())?);
    }
    let output = Output::of(command, &settings.program, settings.silence(), context)?;
    let connector = AirbyteConnector {
        statuses: vec![None; wanted.len()],
        wanted,
        config: settings.config.clone(),
        secrets: Arc::clone(&context.secrets),
        error: None,
        _files: files,
    };
    Ok((output, Box::new(connector)))
}

impl AirbyteConnector {
    /// The same for a message that may lack the namespace even where another stream has that name.
    fn meant(&self, name: String, namespace: Option<String>) -> String {
        let named = || self.wanted.iter().filter(|one| one.name == name);
        match (&namespace, named().count()) {
            (None, 1) => named().map(|one| one.setting.clone()).collect(),
            _ => self.called(name, namespace),
        }
    }

    /// A state in the form that `--state` takes: a list for STREAM and GLOBAL, bare for the legacy type.
    fn state(&self, message: &AirbyteMessage<'_>) -> Result<Parsed, String> {
        let senseless = || "printed an invalid STATE".to_owned();
        let whole = message.raw("/state").ok_or_else(senseless)?;
        let mut stream = None;
        let text = match message.text("/state/type").as_deref() {
            Some("STREAM") => {
                let name =
                    message.text("/state/stream/stream_descriptor/name").ok_or_else(senseless)?;
                stream = Some(
                    self.meant(name, message.text("/state/stream/stream_descriptor/namespace")),
                );
                format!("[{whole}]")
            }
            Some("GLOBAL") => format!("[{whole}]"),
            None | Some("LEGACY") => message.raw("/state/data").ok_or_else(senseless)?.to_owned(),
            Some(other) => {
                return Err(format!("printed a STATE of type {other}, which is not known"));
            }
        };
        let count = message
            .raw("/state/sourceStats/recordCount")
            .and_then(|count| count.parse::<f64>().ok());
        Ok(Parsed::State { stream, text, records: count.map(|count| count as u64) })
    }
}

impl AirbyteConnector {
    fn log(&self, message: &AirbyteMessage<'_>) {
        let text = message.text("/log/message").unwrap_or_default();
        let text = self.secrets.clean(&text);
        match message.text("/log/level").as_deref() {
            Some("FATAL" | "ERROR" | "WARN") => tracing::warn!(program = "airbyte", "{text}"),
            _ => tracing::info!(program = "airbyte", "{text}"),
        }
    }

    /// Notes an error, or the status of a stream.
    fn trace(&mut self, message: &AirbyteMessage<'_>) {
        match message.text("/trace/type").as_deref() {
            Some("ERROR") => {
                let what = message.text("/trace/error/message");
                let what = what.unwrap_or_else(|| "without a message".to_owned());
                self.error = Some(self.secrets.clean(&what));
            }
            Some("STREAM_STATUS") => {
                let of = "/trace/stream_status/stream_descriptor";
                let name = message.text(&format!("{of}/name")).unwrap_or_default();
                let stream = self.meant(name, message.text(&format!("{of}/namespace")));
                let at = self.wanted.iter().position(|one| one.setting == stream);
                if let Some(at) = at {
                    self.statuses[at] = message.text("/trace/stream_status/status");
                }
            }
            _ => {}
        }
    }
}

impl MessageParser for AirbyteConnector {
    fn payload(&self) -> &'static str {
        "data"
    }

    fn parse(&mut self, line: &mut Vec<u8>) -> Result<Parsed, String> {
        let message = AirbyteMessage::of(line);
        let Some(kind) = message.text("/type") else {
            if message.is_broken() {
                return Err("printed a line that holds a message and is not exactly one; \
                    each stands on a line of its own, and what is for the log goes to stderr"
                    .to_owned());
            }
            // Connectors also log to stdout.
            let text = self.secrets.clean(&String::from_utf8_lossy(line));
            tracing::info!(program = "airbyte", "{}", text.trim_end());
            return Ok(Parsed::Nothing);
        };
        match kind.to_ascii_uppercase().as_str() {
            "RECORD" => {
                let stream =
                    message.text("/record/stream").ok_or("printed a RECORD without a stream")?;
                let payload =
                    message.span("/record/data").ok_or("printed a RECORD without data")?;
                Ok(Parsed::Record {
                    stream: self.called(stream, message.text("/record/namespace")),
                    payload,
                    version: None,
                })
            }
            "STATE" => self.state(&message),
            "LOG" => {
                self.log(&message);
                Ok(Parsed::Nothing)
            }
            "TRACE" => {
                self.trace(&message);
                Ok(Parsed::Nothing)
            }
            "CONTROL" => {
                let changed = config::change(self.config.as_deref(), &message);
                // It holds secrets, so no error may quote it.
                line.clear();
                Ok(changed?.map_or(Parsed::Nothing, Parsed::Remark))
            }
            _ => Ok(Parsed::unknown(&kind)),
        }
    }

    fn called(&self, name: String, namespace: Option<String>) -> String {
        let mut wanted = self.wanted.iter();
        let found = wanted.find(|one| one.is(&name, namespace.as_deref()));
        match (found, namespace) {
            (Some(found), _) => found.setting.clone(),
            (None, Some(space)) => format!("{space}.{name}"),
            (None, None) => name,
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
