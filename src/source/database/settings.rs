//! The settings of a source that is a database, as the pipeline's definition keeps them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::secret::SecretLocation;

/// What to do with rows that have no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NullCursor {
    #[default]
    Read,
    Refuse,
}

/// The marks between which a backfill reads; both belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CursorRange {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionSettings {
    env: Option<String>,
    file: Option<PathBuf>,
}

/// The make of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServerKind {
    Postgres,
    Sqlite,
    MySql,
}

/// Which rows are looked at, whatever the cursor says.
#[derive(Debug, Clone)]
pub(super) enum Reread {
    All,
    Places {
        keys: Vec<Vec<String>>,
        /// Of these, only those that a sweep from this mark would read.
        due_from: Option<String>,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseSettings {
    pub(super) kind: ServerKind,
    connection: Option<ConnectionSettings>,
    /// The settings of a database that is a file.
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(super) path: Option<PathBuf>,
    pub(super) table: Option<String>,
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) key: Vec<String>,
    pub(super) cursor: Option<String>,
    lag: Option<serde_json::Number>,
    #[serde(default)]
    pub(super) null_cursor: NullCursor,
    #[serde(default)]
    pub(super) row_security: bool,
    statement_timeout: Option<f64>,
    #[serde(default = "default_max_record_bytes")]
    pub(super) max_record_bytes: usize,
    pub(super) range: Option<CursorRange>,
    /// Which rows are looked at, whatever the cursor says.
    #[serde(skip)]
    pub(super) reread: Option<Reread>,
}

fn default_max_record_bytes() -> usize {
    16 << 20
}

impl DatabaseSettings {
    pub(super) fn parse(value: &Value) -> Result<Self> {
        if value.get("format").is_some()
            || (value.get("path").is_some() && value["kind"] != "sqlite")
        {
            return Err(Error::usage("a database has no path and no format")
                .next("leave out --path and --format"));
        }
        serde_json::from_value(value.clone()).map_err(|cause| {
            Error::usage("the settings of the database source cannot be read")
                .caused_by(cause)
                .next("define the pipeline again, with the constructor of its source")
        })
    }

    /// Identifies what a place among the rows depends on.
    pub(super) fn fingerprint(value: &Value) -> String {
        let parts =
            ["kind", "path", "table", "query", "key", "cursor", "range"].map(|name| &value[name]);
        let text = Value::from_iter(parts.map(Value::clone)).to_string();
        hex::encode(&Sha256::digest(text.as_bytes())[..8])
    }

    /// Where the connection string is.
    pub(super) fn secret_location(&self) -> Result<SecretLocation> {
        let connection = self.connection.as_ref();
        SecretLocation::of(
            connection.and_then(|connection| connection.env.as_deref()),
            connection.and_then(|connection| connection.file.as_ref()),
        )
    }

    /// What records say about where they came from.
    pub(super) fn origin(&self) -> &str {
        self.table.as_deref().unwrap_or("query")
    }

    /// As it was written.
    pub(super) fn lag(&self) -> Option<String> {
        self.lag.as_ref().map(ToString::to_string)
    }

    /// In seconds, or in what the cursor counts.
    #[cfg(feature = "sqlite")]
    pub(super) fn lag_seconds(&self) -> Option<f64> {
        self.lag.as_ref().and_then(serde_json::Number::as_f64)
    }

    /// How long a statement may take.
    pub(super) fn statement_timeout(&self) -> Duration {
        Duration::from_secs_f64(self.statement_timeout.unwrap_or(0.0))
    }
}
