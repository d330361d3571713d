//! Errors, notes and notices on stderr: as text, or as JSON, one object a line.

use super::args::LogFormat;
use crate::error::Error;
use crate::report::{ProgressDisplay, error_json};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::SystemTime;

static SETTINGS: OnceLock<LogSettings> = OnceLock::new();

struct LogSettings {
    format: LogFormat,
    json: bool,
    progress: ProgressDisplay,
}

/// Sets the format; until then it is text.
pub(super) fn set(format: LogFormat, json: bool, progress: &ProgressDisplay) {
    let progress = progress.clone();
    let _ = SETTINGS.set(LogSettings { format, json, progress });
    if format == LogFormat::Json {
        std::panic::set_hook(Box::new(|panic| {
            write_json("ERROR", json!({"message": panic.to_string()}))
        }));
    }
}

/// The error a command ends with; also on stdout if reports are JSON.
pub(super) fn failed(failure: &Error) {
    error(failure);
    if SETTINGS.get().is_some_and(|settings| settings.json) {
        println!("{}", json!({"error": error_json(failure)}));
    }
}

/// An error.
pub(super) fn error(error: &Error) {
    match is_json() {
        true => write_json("ERROR", error_json(error)),
        false => write(&format!("error: {error}")),
    }
}

/// A remark for the user.
pub(super) fn note(text: &str) {
    message("note", "INFO", text);
}

/// A notice of a function of the server.
pub(super) fn notice(text: &str) {
    message("notice", "INFO", text);
}

fn message(label: &str, level: &str, text: &str) {
    match is_json() {
        true => write_json(level, json!({"message": text})),
        false => write(&format!("{label}: {text}")),
    }
}

fn is_json() -> bool {
    SETTINGS.get().is_some_and(|settings| settings.format == LogFormat::Json)
}

/// In the form of the lines of the log.
fn write_json(level: &str, fields: Value) {
    let timestamp =
        jiff::Timestamp::try_from(SystemTime::now()).map(|now| now.to_string()).unwrap_or_default();
    let line =
        json!({"timestamp": timestamp, "level": level, "fields": fields, "target": "sluice"});
    write(&line.to_string());
}

fn write(line: &str) {
    match SETTINGS.get() {
        Some(settings) => settings.progress.suspend(|| eprintln!("{line}")),
        None => eprintln!("{line}"),
    }
}
