//! The catalog of a tap, with only the streams selected that pipelines read.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::source::program::command::{command, given, read_json};
use crate::source::program::messages::{Messages, NextLine};
use crate::source::program::output::Output;
use crate::source::program::schema;
use crate::source::program::settings::ProgramSettings;
use crate::source::{Declared, SourceContext};

/// The catalog to start the tap with: nothing but these streams is selected.
pub(super) fn select(streams: &[String], catalog: &Value) -> Value {
    let mut catalog = catalog.clone();
    for stream in catalog["streams"].as_array_mut().into_iter().flatten() {
        let is_wanted = names(stream).iter().any(|name| streams.contains(name));
        mark(stream, is_wanted);
    }
    catalog
}

/// What the catalog calls the stream.
pub(super) fn identity(settings: &ProgramSettings, catalog: &Value) -> Result<String> {
    let stream = stream_of(settings, catalog)?;
    Ok(names(stream).swap_remove(0))
}

/// What the catalog says of the stream.
pub(super) fn declared(settings: &ProgramSettings, catalog: &Value) -> Result<Declared> {
    let stream = stream_of(settings, catalog)?;
    let of_stream = (stream["metadata"].as_array().into_iter().flatten())
        .find(|entry| entry["breadcrumb"].as_array().is_some_and(Vec::is_empty));
    let lists = [
        of_stream.map_or(&Value::Null, |of| &of["metadata"]["table-key-properties"]),
        &stream["key_properties"],
    ];
    let key = lists.into_iter().map(schema::texts);
    let key = key.into_iter().find(|key| !key.is_empty());
    Ok(schema::declared(&stream["schema"], key.unwrap_or_default()))
}

/// That of the host, or the tap's own; none of one that is not to be asked.
pub(super) fn find(settings: &ProgramSettings, context: &SourceContext) -> Result<Option<Value>> {
    let catalog = match &settings.catalog {
        Some(path) => read_json(path, context)?,
        None if !settings.discover => return Ok(None),
        None => discover(settings, context)?,
    };
    match catalog["streams"].is_array() {
        true => Ok(Some(catalog)),
        false => Err(Error::failed(format!(
            "the catalog of `{}` has no streams",
            settings.program
        ))
        .next(
            "it is an object with an array `streams`; discover => false starts the tap without one",
        )),
    }
}

fn stream_of<'a>(settings: &ProgramSettings, catalog: &'a Value) -> Result<&'a Value> {
    let streams = || catalog["streams"].as_array().into_iter().flatten();
    let all = || -> Vec<String> {
        let first = |stream| names(stream).into_iter().next();
        streams().filter_map(first).collect()
    };
    streams()
        .find(|stream| names(stream).contains(&settings.stream))
        .ok_or_else(|| schema::no_stream(settings, "has no stream", &all()))
}

/// How a stream may be called.
fn names(stream: &Value) -> Vec<String> {
    let names = ["tap_stream_id", "stream", "stream_name"];
    let names = names.into_iter().filter_map(|name| stream[name].as_str());
    names.map(str::to_owned).collect()
}

/// Says in both places where taps look whether a stream is wanted.
fn mark(stream: &mut Value, is_selected: bool) {
    if stream["schema"].is_object() {
        stream["schema"]["selected"] = json!(is_selected);
    }
    stream["selected"] = json!(is_selected);
    if !stream["metadata"].is_array() {
        stream["metadata"] = json!([]);
    }
    let Some(metadata) = stream["metadata"].as_array_mut() else {
        return;
    };
    let of_stream = |entry: &&mut Value| entry["breadcrumb"].as_array().is_some_and(Vec::is_empty);
    match metadata.iter_mut().find(of_stream) {
        Some(entry) => entry["metadata"]["selected"] = json!(is_selected),
        None => metadata.push(json!({"breadcrumb": [], "metadata": {"selected": is_selected}})),
    }
}

fn discover(settings: &ProgramSettings, context: &SourceContext) -> Result<Value> {
    let mut command = command(settings, context)?;
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, context)?);
    }
    command.arg("--discover");
    let next =
        "if the tap knows no --discover: discover => false, or catalog => a file with its catalog";
    let told = |error: Error| error.detail("it was asked for its catalog (--discover)").next(next);
    let output = Output::of(command, &settings.program, settings.silence(), context)?;
    let mut messages = Messages::of_answer(output);
    let mut text = Vec::new();
    while messages.next_of_answer().map_err(told)? != NextLine::End {
        text.extend_from_slice(messages.line());
    }
    serde_json::from_slice(&text)
        .map_err(|cause| told(messages.failure("gave no catalog").caused_by(cause)))
}
