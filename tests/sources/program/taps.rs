//! Real taps, where they are installed: SLUICE_TAPS names their folders, as PATH does.
//! (`pip install tap-jsonl==0.3.1`, and `tap-singer-jsonl==0.1.0` in a venv of its own.)

use std::path::PathBuf;

use pgsluice::source::{Driver, Start};
use serde_json::{Value, json};

use super::support::{Folder, Outcome, WIDE, cursor, source_context, state};
use crate::sources::support::drain;

/// The tap, or none, aloud.
fn find(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("SLUICE_TAPS").unwrap_or_default();
    let mut paths = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let found = paths.find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not in the folders of SLUICE_TAPS");
    }
    found
}

fn run(tap: &PathBuf, config: &Value, folder: &Folder, cursor: Option<Value>) -> Outcome {
    folder.write("config.json", config.to_string());
    let settings = json!({
        "kind": "program", "program": "sh", "protocol": "singer", "stream": "items",
        "arguments": ["-c", "exec \"$0\" \"$@\"", tap], "config": folder.name("config.json"),
    });
    let start = Start { cursor, ..Start::default() };
    drain(Driver::open(&settings, start, WIDE, &source_context(3)), vec![])
}

#[test]
fn tap_jsonl_is_read_and_gone_on_with_at_its_state() {
    let Some(tap) = find("tap-jsonl") else { return };
    let folder = Folder::new();
    folder.write("in.jsonl", "{\"id\":1,\"n\":\"a\"}\n{\"id\":2,\"n\":\"b\"}\n");
    let config = json!({
        "path": folder.name("in.jsonl"), "stream_name": "items", "primary_keys": ["id"],
    });
    let first = run(&tap, &config, &folder, None).ok();
    assert_eq!(first.records.len(), 2);
    assert!(first.payloads()[1].starts_with("{\"id\":2,\"n\":\"b\""), "{:?}", first.payloads());
    assert!(state(&first).unwrap().contains("bookmarks"));
    run(&tap, &config, &folder, cursor(&first)).ok();
}

#[test]
fn tap_singer_jsonl_replays_what_another_tap_said() {
    let Some(tap) = find("tap-singer-jsonl") else {
        return;
    };
    let folder = Folder::new();
    folder.write(
        "in.singer",
        concat!(
            "{\"type\":\"SCHEMA\",\"stream\":\"users\",\"schema\":{\"properties\":{}},\"key_properties\":[\"id\"]}\n",
            "{\"type\":\"SCHEMA\",\"stream\":\"items\",\"schema\":{\"properties\":{}},\"key_properties\":[\"id\"]}\n",
            "{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{\"id\":1},\"version\":1}\n",
            "{\"type\":\"RECORD\",\"stream\":\"users\",\"record\":{\"id\":9}}\n",
            "{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"items\",\"version\":1}\n",
            "{\"type\":\"STATE\",\"value\":{\"items\":1}}\n",
        ),
    );
    let config = json!({
        "source": "local", "local": {"folders": [folder.name("")]}, "add_record_metadata": false,
    });
    let first = run(&tap, &config, &folder, None).ok();
    assert_eq!(first.payloads(), ["{\"id\": 1}"]);
    assert_eq!(state(&first).unwrap(), "{\"items\":1}");
    assert!(first.is_complete);
    assert!(first.remarks[0].contains("1 records of the stream users"), "{:?}", first.remarks);
}
