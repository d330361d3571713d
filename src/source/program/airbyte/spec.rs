//! The spec of a connector: what its configuration lacks.

use serde_json::Value;

use crate::source::SourceContext;
use crate::source::program::command::{command, read_json};
use crate::source::program::messages::{Messages, NextLine};
use crate::source::program::output::Output;
use crate::source::program::settings::ProgramSettings;

/// The required settings that the configuration lacks, by name. Only for error messages, as the connector
/// has to be started for it.
pub(super) fn lacks(settings: &ProgramSettings, context: &SourceContext) -> Option<String> {
    let mut command = command(settings, context).ok()?;
    command.arg("spec");
    let output = Output::of(command, &settings.program, settings.silence(), context).ok()?;
    let mut messages = Messages::of_answer(output);
    let mut required = Vec::new();
    while messages.next_of_answer().ok()? != NextLine::End {
        let message = serde_json::from_slice::<Value>(messages.line()).unwrap_or_default();
        if message["type"] == "SPEC" {
            let names = &message["spec"]["connectionSpecification"]["required"];
            let names = names.as_array().into_iter().flatten();
            required.extend(names.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    let config = match &settings.config {
        Some(path) => read_json(path, context).ok()?,
        None => Value::Null,
    };
    required.retain(|name| config.get(name).is_none_or(Value::is_null));
    let what = match &settings.config {
        Some(path) => format!("`{}` lacks", path.display()),
        None => "there is no config, and it has to have".to_owned(),
    };
    (!required.is_empty())
        .then(|| format!("{what} `{}`, which the connector requires (spec)", required.join("`, `")))
}
