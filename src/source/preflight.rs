//! Checks what a source needs, before it is read: on this machine and on its server.

use super::{SourceContext, database, file, http, object, program, stream};
use crate::error::{Error, Result};
use serde_json::Value;

/// What is there, or what a run would stumble over.
pub(crate) async fn preflight(settings: &Value, context: &SourceContext) -> Vec<Result<String>> {
    match settings["kind"].as_str() {
        Some("file") if settings["path"] == stream::PATH => Vec::new(),
        Some("file") => vec![file::preflight(settings, &context.host)],
        Some("object") => vec![object::preflight(settings, &context.host)],
        Some("http") => http::preflight(settings, context),
        Some("program") => program::preflight(settings, context),
        Some("postgres" | "mysql" | "sqlite") => vec![database::preflight(settings, context).await],
        _ => vec![Err(Error::usage(format!("unknown source {settings}")))],
    }
}
