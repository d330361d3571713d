//! The configured catalog of a connector: the streams of the pipelines that share it.

use serde_json::{Value, json};

use super::config;
use super::message::AirbyteMessage;
use crate::error::{Error, Result};
use crate::source::program::command::{command, given, read_json};
use crate::source::program::messages::{Messages, NextLine};
use crate::source::program::output::Output;
use crate::source::program::schema;
use crate::source::program::settings::{ProgramSettings, SyncMode};
use crate::source::{Declared, SourceContext};

/// One stream of a connector.
pub(super) struct ConfiguredStream {
    pub(super) name: String,
    namespace: Option<String>,
    /// The name in the pipeline's settings.
    pub(super) setting: String,
    /// No other stream of the catalog has its name, in whatever namespace.
    is_only: bool,
    stream: Value,
    pub(super) mode: SyncMode,
}

/// The catalog in a file of the host, or the one that the connector discovers.
pub(super) fn find(settings: &ProgramSettings, context: &SourceContext) -> Result<Value> {
    match &settings.catalog {
        Some(path) => read_json(path, context),
        None => discover(settings, context).map_err(|error| {
            let lacks = super::spec::lacks(settings, context);
            match lacks {
                Some(lacks) => error.detail(lacks),
                None => error,
            }
        }),
    }
}

impl ConfiguredStream {
    /// The stream of the pipeline.
    pub(super) fn of(settings: &ProgramSettings, catalog: &Value) -> Result<Self> {
        let streams = catalog["streams"].as_array().cloned().unwrap_or_default();
        // A configured catalog wraps each stream.
        let streams = streams.into_iter().map(|stream| match stream["stream"].is_object() {
            true => stream["stream"].clone(),
            false => stream,
        });
        let streams: Vec<Value> = streams.collect();
        let all = || -> Vec<String> {
            let last = |stream| names(stream).pop();
            streams.iter().filter_map(last).collect()
        };
        let found: Vec<&Value> =
            streams.iter().filter(|stream| names(stream).contains(&settings.stream)).collect();
        let [stream] = found[..] else {
            let what = match found.is_empty() {
                true => "has no stream",
                false => "has several streams called",
            };
            return Err(schema::no_stream(settings, what, &all()));
        };
        Ok(ConfiguredStream {
            name: stream["name"].as_str().unwrap_or_default().to_owned(),
            namespace: stream["namespace"].as_str().map(str::to_owned),
            setting: settings.stream.clone(),
            is_only: streams.iter().filter(|one| one["name"] == stream["name"]).count() == 1,
            mode: mode(settings, stream)?,
            stream: stream.clone(),
        })
    }

    pub(super) fn declared(&self) -> Declared {
        let key = schema::texts(&self.stream["source_defined_primary_key"]);
        schema::declared(&self.stream["json_schema"], key)
    }

    /// The entry in the configured catalog.
    pub(super) fn configured(&self) -> Value {
        let keys = &self.stream["source_defined_primary_key"];
        let cursor = &self.stream["default_cursor_field"];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        json!({
            "stream": self.stream,
            "sync_mode": match self.mode {
                SyncMode::FullRefresh => "full_refresh",
                SyncMode::Incremental => "incremental",
            },
            "destination_sync_mode": "append",
            "cursor_field": list(cursor),
            "primary_key": list(keys),
        })
    }

    /// Whether the connector means this stream, whose namespace it may leave out.
    pub(super) fn is(&self, name: &str, namespace: Option<&str>) -> bool {
        let is_it = namespace == self.namespace.as_deref() || self.is_only && namespace.is_none();
        name == self.name && is_it
    }

    /// Its full name in the catalog.
    pub(super) fn identity(&self) -> String {
        names(&self.stream).pop().unwrap_or_default()
    }
}

/// The names of a stream: without and with its namespace.
fn names(stream: &Value) -> Vec<String> {
    let Some(name) = stream["name"].as_str() else {
        return Vec::new();
    };
    let with_namespace = stream["namespace"].as_str().map(|space| format!("{space}.{name}"));
    [name.to_owned()].into_iter().chain(with_namespace).collect()
}

/// Incremental, if the connector has a cursor of its own.
fn mode(settings: &ProgramSettings, stream: &Value) -> Result<SyncMode> {
    let modes = stream["supported_sync_modes"].as_array();
    let can = |mode: &str| modes.is_some_and(|modes| modes.iter().any(|one| one == mode));
    let has_cursor = stream["source_defined_cursor"] == true
        || stream["default_cursor_field"].as_array().is_some_and(|path| !path.is_empty());
    match settings.sync_mode {
        Some(SyncMode::Incremental) if !can("incremental") => Err(Error::usage(format!(
            "the stream `{}` of `{}` cannot be read incrementally",
            settings.stream, settings.program
        ))
        .next("leave sync_mode out")),
        Some(mode) => Ok(mode),
        None if can("incremental") && has_cursor => Ok(SyncMode::Incremental),
        None => Ok(SyncMode::FullRefresh),
    }
}

fn discover(settings: &ProgramSettings, context: &SourceContext) -> Result<Value> {
    let mut command = command(settings, context)?;
    command.arg("discover");
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, context)?);
    }
    let output = Output::of(command, &settings.program, settings.silence(), context)?;
    let mut messages = Messages::of_answer(output);
    let mut catalog = None;
    let told = |error: Error| error.detail("it was asked for its catalog (discover)");
    while messages.next_of_answer().map_err(told)? != NextLine::End {
        let message = AirbyteMessage::of(messages.line());
        let failure = match message.text("/type").as_deref() {
            Some("CATALOG") => {
                let found = serde_json::from_slice::<Value>(messages.line()).unwrap_or_default();
                catalog = Some(found["catalog"].clone());
                continue;
            }
            Some("CONTROL") => {
                let changed = config::change(settings.config.as_deref(), &message);
                messages.line_mut().clear();
                match changed {
                    Ok(remark) => {
                        remark.into_iter().for_each(|remark| context.remarks.add(remark));
                        continue;
                    }
                    Err(how) => how,
                }
            }
            Some("TRACE") if message.text("/trace/type").as_deref() == Some("ERROR") => {
                let what = message.text("/trace/error/message").unwrap_or_default();
                format!("says that it failed: {}", context.secrets.clean(&what))
            }
            _ => continue,
        };
        return Err(told(messages.failure(&failure)));
    }
    catalog.ok_or_else(|| told(messages.failure("gave no catalog")))
}
