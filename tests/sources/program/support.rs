//! Programs made of a few lines of sh, and a reader of what the source makes of them.

use std::fs;
use std::path::PathBuf;

use pgsluice::source::{Driver, Start};
use serde_json::{Value, json};

pub(crate) use crate::sources::file::support::{Folder, Outcome, WIDE, rows, source_context};
use crate::sources::support::drain;

/// A program, and the folder it works in.
pub(crate) struct Script {
    folder: Folder,
    protocol: &'static str,
}

/// What a script begins with: `$state` is what stands in the file behind --state, `$catalog` the file
/// with the catalog, `$command` the first argument.
const BEGINNING: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >> asked
command=$1; state=; catalog=; config=
while [ $# -gt 0 ]; do
  case "$1" in
    --state) state=$(cat "$2"); shift;;
    --catalog) catalog=$2; shift;;
    --config) config=$2; shift;;
    --discover) command=discover;;
  esac
  shift
done
"#;

impl Script {
    pub(crate) fn of(protocol: &'static str, body: &str) -> Self {
        let script = Script { folder: Folder::new(), protocol };
        script.say(body);
        script
    }

    /// The same program, grown older.
    pub(crate) fn say(&self, body: &str) {
        self.folder.write("tap.sh", format!("{BEGINNING}{body}"));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        self.folder.write(name, content);
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// With which arguments it was started.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.text("asked").lines().map(str::to_owned).collect()
    }

    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings = json!({
            "kind": "program", "program": "sh", "protocol": self.protocol,
            "arguments": [self.folder.name("tap.sh")],
        });
        if matches!(self.protocol, "singer" | "airbyte") {
            settings["stream"] = json!("items");
        }
        if self.protocol == "singer" {
            settings["discover"] = json!(false);
        }
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        settings
    }

    pub(crate) fn run(&self, more: Value) -> Outcome {
        self.run_from(None, more)
    }

    /// Runs again behind `earlier`.
    pub(crate) fn rerun(&self, earlier: &Outcome) -> Outcome {
        self.run_from(cursor(earlier), json!({}))
    }

    pub(crate) fn run_from(&self, cursor: Option<Value>, more: Value) -> Outcome {
        drain(self.open(cursor, more), vec![])
    }

    pub(crate) fn open(
        &self,
        cursor: Option<Value>,
        more: Value,
    ) -> Result<Driver, pgsluice::error::Error> {
        let start = Start { cursor, ..Start::default() };
        Driver::open(&self.settings(more), start, WIDE, &source_context(3))
    }
}

/// Up to where a run came, as the database keeps it.
pub(crate) fn cursor(outcome: &Outcome) -> Option<Value> {
    let text = outcome.batches.last()?.cursor.to_string();
    Some(serde_json::from_str(&text).unwrap())
}

/// The state in it.
pub(crate) fn state(outcome: &Outcome) -> Option<String> {
    let state = &cursor(outcome)?["state"];
    state.as_str().map(str::to_owned)
}

/// Whether what did not come in the run can be taken for gone.
pub(crate) fn whole(outcome: &Outcome) -> bool {
    let mut batches = outcome.batches.iter();
    outcome.is_complete && batches.all(|batch| batch.spoilt_by.is_none())
}
