//! The settings of a delivery into a table, as the engine keeps them.

use crate::error::Result;
use crate::secret::SecretLocation;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings {
    connection: Connection,
    pub(super) table: String,
    /// The pipeline's where it is not given.
    pub(super) key: Option<Vec<String>>,
    #[serde(default = "thousand")]
    pub(super) parcel_rows: usize,
}

#[derive(Debug, Clone, Deserialize)]
struct Connection {
    env: Option<String>,
    file: Option<PathBuf>,
}

fn thousand() -> usize {
    1000
}

impl Settings {
    /// Where the connection string is.
    pub(super) fn secret_location(&self) -> Result<SecretLocation> {
        SecretLocation::of(self.connection.env.as_deref(), self.connection.file.as_ref())
    }
}
