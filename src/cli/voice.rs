//! What is said on stderr, as text or as one JSON object a line: errors, notes, notices.

use super::args::LogFormat;
use crate::error::Error;
use crate::report::{Progress, error_json};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::SystemTime;

static VOICE: OnceLock<Voice> = OnceLock::new();

struct Voice {
    format: LogFormat,
    json: bool,
    progress: Progress,
}

/// Sets how things are said from now on; until then, as text.
pub(super) fn set(format: LogFormat, json: bool, progress: &Progress) {
    let progress = progress.clone();
    // Said once.
    let _ = VOICE.set(Voice {
        format,
        json,
        progress,
    });
    if format == LogFormat::Json {
        std::panic::set_hook(Box::new(|panic| {
            say("ERROR", json!({"message": panic.to_string()}))
        }));
    }
}

/// The error a command ends with; also on stdout if reports are JSON.
pub(super) fn failed(failure: &Error) {
    error(failure);
    if VOICE.get().is_some_and(|voice| voice.json) {
        println!("{}", json!({"error": error_json(failure)}));
    }
}

/// An error.
pub(super) fn error(error: &Error) {
    match is_json() {
        true => say("ERROR", error_json(error)),
        false => write(&format!("error: {error}")),
    }
}

/// A remark for the user.
pub(super) fn note(text: &str) {
    told("note", "INFO", text);
}

/// What a function of the server says.
pub(super) fn notice(text: &str) {
    told("notice", "INFO", text);
}

fn told(label: &str, level: &str, text: &str) {
    match is_json() {
        true => say(level, json!({"message": text})),
        false => write(&format!("{label}: {text}")),
    }
}

fn is_json() -> bool {
    VOICE
        .get()
        .is_some_and(|voice| voice.format == LogFormat::Json)
}

/// In the shape of the log's lines.
fn say(level: &str, fields: Value) {
    let timestamp = jiff::Timestamp::try_from(SystemTime::now())
        .map(|now| now.to_string())
        .unwrap_or_default();
    let line =
        json!({"timestamp": timestamp, "level": level, "fields": fields, "target": "sluice"});
    write(&line.to_string());
}

fn write(line: &str) {
    match VOICE.get() {
        Some(voice) => voice.progress.suspend(|| eprintln!("{line}")),
        None => eprintln!("{line}"),
    }
}
