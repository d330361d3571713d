//! Where records come from.
//!
//! A source is a plain blocking producer of [`Batch`]es that runs on a thread of its own.
//! It knows nothing of Postgres: it slices raw payloads out of its input and says, with
//! every batch, where reading must resume once that batch is committed. Whatever it read
//! ahead of the last commit is simply read again after a crash.

mod batch;
mod digest;
pub mod file;
pub mod http;
mod json;
mod mark;
mod names;
pub mod object;
mod records;
mod secret;

pub(crate) use batch::COPY_HEADER;
pub(crate) use batch::Savepoint;
pub use batch::{Batch, BatchBuilder, Limits, ObjectState, OriginSpan, Snapshot, Unreadable};

use crate::error::{Error, Result};
use serde_json::{Value, json};

/// A producer of batches, in the order in which they must be committed.
pub trait Source: Send {
    /// The next batch, or `None` when the source has nothing more for this run.
    ///
    /// A batch never crosses the limits by more than the record that filled it.
    fn next_batch(&mut self) -> Result<Option<Batch>>;

    /// How many bytes of input this run has in all, if that can be known (for the
    /// progress bar and the time left).
    fn total_bytes(&self) -> Option<u64> {
        None
    }

    /// Whether there is nothing left to read: asked after the last batch. Together with the
    /// runs before that it goes on from, the run has then seen all that the source has, but
    /// for what batches say in `spoilt_by`. False where that cannot be known.
    fn is_complete(&self) -> bool {
        false
    }

    /// Remarks for the user at the end of a run, one a line: a file that ends inside a
    /// record, for instance.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

/// From where a source goes on, and how patiently.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The pipeline's cursor; none before its first batch.
    pub cursor: Option<Value>,
    /// What is known of its files and objects.
    pub objects: Vec<ObjectState>,
    /// Retries for the whole run.
    pub retries: u32,
}

/// The settings of a pipeline's source, but to read from `path`, and as `format`, for once. A
/// path is a URL of an object store, or a file; how records stand in it stays as it was.
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
        let name = if settings["kind"] == "object" {
            "url"
        } else {
            "path"
        };
        settings[name] = json!(path);
    }
    if let Some(format) = format {
        settings["format"] = json!(format);
    }
    settings
}

/// Opens the source that `settings` describe, going on from `start`.
pub fn open(settings: &Value, start: Start, limits: Limits) -> Result<Box<dyn Source>> {
    let known = start.objects.clone();
    match settings["kind"].as_str() {
        Some("file") => Ok(Box::new(file::FileSource::open(settings, known, limits)?)),
        Some("object") => Ok(Box::new(object::ObjectSource::open(
            settings, known, limits,
        )?)),
        Some("http") => Ok(Box::new(http::HttpSource::open(settings, &start, limits)?)),
        _ => Err(Error::usage(format!("unknown source {settings}"))
            .next("this binary reads the kinds \"file\", \"object\" and \"http\"")),
    }
}
