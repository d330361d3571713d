//! The fields of a stream, by the JSON schema in a catalog.

use serde_json::Value;

use super::settings::ProgramSettings;
use crate::error::Error;
use crate::source::{Declared, DeclaredField};

/// The fields by the JSON schema. It is not binding, as taps guess it from samples.
pub(super) fn declared(schema: &Value, key: Vec<String>) -> Declared {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(name, of)| DeclaredField {
        name: name.clone(),
        sql: sql(of),
        choice: None,
    });
    Declared { fields: fields.collect(), key, is_binding: false }
}

fn sql(of: &Value) -> &'static str {
    let kinds: Vec<&str> = match &of["type"] {
        Value::String(kind) => vec![kind],
        kinds => (kinds.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
    };
    match (&kinds[..], of["format"].as_str()) {
        (["integer"], _) => "bigint",
        (["number"], _) => "numeric",
        (["boolean"], _) => "boolean",
        (["object" | "array"], _) => "jsonb",
        (["string"], Some("date")) => "date",
        (["string"], Some("date-time")) => "timestamptz",
        _ => "text",
    }
}

/// The strings in a list, each of which may be a path of one element.
pub(super) fn texts(list: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Array(path) if path.len() == 1 => path[0].as_str().map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    };
    let texts = list.as_array().into_iter().flatten().map(text);
    texts.collect::<Option<_>>().unwrap_or_default()
}

/// The error that there is no such stream.
pub(super) fn no_stream(settings: &ProgramSettings, what: &str, names: &[String]) -> Error {
    Error::usage(format!("the program `{}` {what} `{}`", settings.program, settings.stream))
        .detail(format!("it has {}", names.join(", ")))
        .next("name one of them: stream => '...'")
}
