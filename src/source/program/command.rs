//! The command of a program: its arguments and its environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::settings::ProgramSettings;
use crate::error::{Error, Result};
use crate::source::SourceContext;
use crate::source::secret::Secret;

/// Environment variables that every program gets. Others may be secrets.
const HARMLESS: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/// A program with its arguments and environment, ready to be started.
pub(super) fn command(settings: &ProgramSettings, context: &SourceContext) -> Result<Command> {
    let mut command = Command::new(context.host.program(&settings.program)?);
    command.args(&settings.arguments).env_clear();
    for name in HARMLESS {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for name in &settings.env {
        let value = context.host.env(name)?;
        context.secrets.add(&Secret::new(value.clone()));
        command.env(name, value);
    }
    Ok(command)
}

/// Temporary files for one run of a program.
pub(super) struct TempFiles(TempDir);

impl TempFiles {
    pub(super) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("sluice-").tempdir();
        dir.map(TempFiles).map_err(|cause| {
            Error::failed("a folder for the state and the catalog cannot be made")
                .caused_by(cause)
                .next("check the folder for temporary files (TMPDIR)")
        })
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        let write = || std::fs::File::create(&path)?.write_all(content);
        write().map_err(|cause| {
            Error::failed(format!("`{}` cannot be written", path.display())).caused_by(cause)
        })?;
        Ok(path)
    }
}

/// A file that the pipeline names, if the host allows it.
pub(super) fn given<'a>(path: &'a Path, context: &SourceContext) -> Result<&'a Path> {
    context.host.file(path)?;
    match path.is_file() {
        true => Ok(path),
        false => Err(Error::usage(format!("there is no file `{}`", path.display()))
            .next("paths are those of the machine that runs sluice; give a whole one")),
    }
}

/// The JSON in a file of the host. Errors do not quote it.
pub(super) fn read_json(path: &Path, context: &SourceContext) -> Result<Value> {
    let cannot = |cause: Box<dyn std::error::Error + Send + Sync>| {
        Error::usage(format!("`{}` cannot be read as JSON", path.display())).caused_by(cause)
    };
    let text = std::fs::read(given(path, context)?).map_err(|cause| cannot(cause.into()))?;
    serde_json::from_slice(&text).map_err(|cause| cannot(cause.into()))
}
