//! Where records come from.
//!
//! A [`Source`] slices raw payloads out of its input, unit by unit, and says where reading must
//! resume and what proves that a unit has ended. The [`Driver`] makes [`Batch`]es of it: what is
//! the same for all sources stands there once. Neither knows of Postgres.

mod batch;
mod children;
mod context;
mod contract;
mod copy;
pub mod database;
mod declared;
mod digest;
mod driver;
mod fields;
pub mod file;
pub mod http;
mod json;
mod mark;
mod names;
pub mod object;
mod parquet;
mod preflight;
mod program;
mod records;
mod sqlstate;
mod stream;
mod units;

pub use batch::{Batch, BatchBuilder, BatchLimits, ObjectState, Snapshot, Unreadable};
pub(crate) use children::EndWithRun;
pub use context::{Remarks, SourceContext, Waiting};
pub use contract::{Progress, Proof, Reason, Source};
pub(crate) use copy::CopyRows;
pub(crate) use declared::{Declared, DeclaredField, declared};
pub use driver::Driver;
pub use fields::Fields;
pub(crate) use preflight::preflight;
pub(crate) use program::share;
pub(crate) use records::RowFields;
pub use stream::StreamSource;
pub use units::{ChangedUnits, KnownObjects, ListedUnit};

use crate::error::{Error, Result};
use crate::secret;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// From where a source goes on.
#[derive(Debug, Clone)]
pub struct Start {
    /// The pipeline's cursor; none before its first batch.
    pub cursor: Option<Value>,
    /// What is known about its files and objects.
    pub known: Arc<dyn KnownObjects>,
    /// The rows for each of which it is read (`for_each`), as JSON.
    pub rows: Vec<String>,
}

/// The beginning: nothing is known.
impl Default for Start {
    fn default() -> Self {
        Start { cursor: None, known: Arc::new(Vec::new()), rows: Vec::new() }
    }
}

/// The settings of a pipeline's source, but reading from `path`, as `format`, for once. A path is a URL of
/// an object store, or a file; everything else about the records stays as it was.
pub fn redirected(settings: &Value, path: Option<&str>, format: Option<&str>) -> Value {
    let mut settings = settings.clone();
    if let Some(path) = path {
        let is_url = path.contains("://");
        settings = match settings["kind"].as_str() {
            Some("object") if !is_url => {
                let mut file = records::shared(&settings);
                file["kind"] = json!("file");
                file
            }
            Some("file") if is_url => {
                let mut object = records::shared(&settings);
                object["kind"] = json!("object");
                object
            }
            _ => settings,
        };
        let name = if settings["kind"] == "object" { "url" } else { "path" };
        settings[name] = json!(path);
        // They pick files of a folder.
        if name == "path"
            && !Path::new(path).is_dir()
            && let Some(settings) = settings.as_object_mut()
        {
            settings.retain(|name, _| name != "pattern" && name != "subfolders");
        }
    }
    if let Some(format) = format {
        settings["format"] = json!(format);
    }
    settings
}

/// Whether records named `origin` would be rows of separated fields, whose values are all text.
pub(crate) fn is_tabular(settings: &Value, origin: &str) -> bool {
    records::is_tabular(settings["format"].as_str(), origin)
}

/// Whether records named `origin` would be rows of columns.
pub(crate) fn has_columns(settings: &Value, origin: &str) -> bool {
    match settings["kind"].as_str() {
        Some("postgres" | "mysql" | "sqlite") => true,
        Some("program") => matches!(settings["protocol"].as_str(), Some("csv" | "tsv")),
        _ => records::has_columns(settings["format"].as_str(), origin),
    }
}

/// Opens the source that `settings` describe, going on from `start`.
pub fn open(settings: &Value, start: Start, context: &SourceContext) -> Result<Box<dyn Source>> {
    match settings["kind"].as_str() {
        Some("file") if settings["path"] == stream::PATH => {
            Ok(Box::new(StreamSource::of_stdin(settings, context)?))
        }
        Some("file") => Ok(Box::new(file::FileSource::open(
            settings,
            start.known,
            context,
        )?)),
        Some("object") => Ok(Box::new(object::ObjectSource::open(
            settings,
            start.known,
            context,
        )?)),
        Some("program") => program::open(settings, &start, context),
        Some("http") => Ok(Box::new(http::HttpSource::open(settings, &start, context)?)),
        Some("postgres" | "mysql" | "sqlite") => Ok(Box::new(database::DatabaseSource::open(
            settings, &start, context,
        )?)),
        _ => Err(Error::usage(format!("unknown source {settings}"))
            .next("this binary reads the kinds \"file\", \"object\", \"http\", \"postgres\", \"mysql\", \"sqlite\" and \"program\"")),
    }
}
