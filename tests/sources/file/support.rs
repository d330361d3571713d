//! A folder to drop files in, and a reader of what the source makes of them.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pgsluice::source::{BatchLimits, ObjectState};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use crate::sources::support::*;

/// A temporary folder with files.
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Folder { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut file = fs::File::options().append(true).open(self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    /// Makes the file look as if it was last written `seconds` ago.
    pub(crate) fn age(&self, name: &str, seconds: u64) {
        let file = fs::File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    /// Settings for the file, with `more` on top.
    pub(crate) fn settings(&self, name: &str, more: Value) -> Value {
        let mut settings = json!({
            "kind": "file", "path": self.name(name), "settle_seconds": 0
        });
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        settings
    }

    pub(crate) fn run(&self, name: &str, more: Value) -> Outcome {
        self.run_with(name, more, Vec::new(), WIDE)
    }

    /// Runs again after `earlier`.
    pub(crate) fn rerun(&self, name: &str, more: Value, earlier: &Outcome) -> Outcome {
        self.run_with(name, more, earlier.objects.clone(), WIDE)
    }

    pub(crate) fn run_with(
        &self,
        name: &str,
        more: Value,
        known: Vec<ObjectState>,
        limits: BatchLimits,
    ) -> Outcome {
        let source = open(&self.settings(name, more), known.clone(), limits);
        drain(source, known)
    }

    /// Writes the content to a file of that name and reads it.
    pub(crate) fn read(&self, name: &str, content: impl AsRef<[u8]>, more: Value) -> Outcome {
        self.write(name, content);
        self.run(name, more)
    }
}

/// What a single run makes of a single file.
pub(crate) fn read(name: &str, content: impl AsRef<[u8]>, more: Value) -> Outcome {
    Folder::new().read(name, content, more)
}
