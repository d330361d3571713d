//! Which streams a tap is to give: one, so that no work is done for the others.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::source::Means;
use crate::source::program::command::{Files, command, given, read_json};
use crate::source::program::output::Output;
use crate::source::program::settings::Settings;
use std::io::Read as _;

/// The catalog to start the tap with: that of the host or the tap's own, with nothing but the
/// pipeline's stream selected. None for a tap that is not to be asked for any.
pub(super) fn select(settings: &Settings, means: &Means, files: &Files) -> Result<Option<PathBuf>> {
    let mut catalog = match &settings.catalog {
        Some(path) => read_json(path, means)?,
        None if !settings.discover => return Ok(None),
        None => discover(settings, means)?,
    };
    let streams = catalog["streams"].as_array_mut().ok_or_else(|| {
        Error::failed(format!(
            "the catalog of `{}` has no streams",
            settings.program
        ))
        .next(
            "it is an object with an array `streams`; discover => false starts the tap without one",
        )
    })?;
    let name = |stream: &Value| {
        let names = [
            &stream["tap_stream_id"],
            &stream["stream"],
            &stream["stream_name"],
        ];
        let names = names.into_iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let all: Vec<String> = streams
        .iter()
        .filter_map(|stream| name(stream).into_iter().next())
        .collect();
    let mut has_it = false;
    for stream in streams {
        let is_it = name(stream).contains(&settings.stream);
        has_it |= is_it;
        mark(stream, is_it);
    }
    if !has_it {
        return Err(Error::usage(format!(
            "the program `{}` has no stream `{}`",
            settings.program, settings.stream
        ))
        .detail(format!("it has {}", all.join(", ")))
        .next("name one of them: stream => '...'"));
    }
    files
        .write("catalog.json", catalog.to_string().as_bytes())
        .map(Some)
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

fn discover(settings: &Settings, means: &Means) -> Result<Value> {
    let mut command = command(settings, means)?;
    if let Some(config) = &settings.config {
        command.arg("--config").arg(given(config, means)?);
    }
    command.arg("--discover");
    let next =
        "if the tap knows no --discover: discover => false, or catalog => a file with its catalog";
    let mut output = Output::of(command, &settings.program, settings.silence(), means)?;
    let mut text = Vec::new();
    let read = output.read_to_end(&mut text);
    read.map_err(|cause| match cause.downcast::<Error>() {
        Ok(error) => error
            .detail("it was asked for its catalog (--discover)")
            .next(next),
        Err(cause) => output.failure("cannot be read").caused_by(cause),
    })?;
    serde_json::from_slice(&text).map_err(|cause| {
        output
            .failure("gave no catalog")
            .caused_by(cause)
            .next(next)
    })
}
