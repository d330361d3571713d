//! The fields that a source declares for its records, before one is read.

use super::{SourceContext, database, program};
use crate::error::Result;
use serde_json::Value;
use std::borrow::Cow;

/// What is known of the records of a source.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// Their fields in their order.
    pub(crate) fields: Vec<DeclaredField>,
    /// Those that tell records apart; none if that is not said.
    pub(crate) key: Vec<String>,
    /// Whether these are all the fields, and of these types. Otherwise what the records show counts for
    /// more.
    pub(crate) is_binding: bool,
}

/// A field of records.
#[derive(Debug, Clone)]
pub(crate) struct DeclaredField {
    pub(crate) name: String,
    /// The type that can hold each of its values as they appear in a record.
    pub(crate) sql: &'static str,
    /// What only people can say.
    pub(crate) choice: Option<Cow<'static, str>>,
}

/// Asks the source that `settings` describe, if it can be asked.
pub(crate) async fn declared(settings: &Value, context: &SourceContext) -> Result<Declared> {
    match settings["kind"].as_str() {
        Some("program") => program::declared(settings, context),
        Some("postgres" | "mysql" | "sqlite") => database::declared(settings, context).await,
        _ => Ok(Declared::default()),
    }
}
