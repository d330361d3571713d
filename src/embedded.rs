//! The embedded server: a private cluster under `.sluice/`, for when nobody names a server.

use embedded_postgres::{EmbeddedPostgres, PORT, SUPERUSER, Server};
use libpq_conninfo::Settings;
use std::path::{Path, PathBuf};

/// The folder to use: `SLUICE_HOME`, else `.sluice` in the current folder.
pub fn home() -> PathBuf {
    match std::env::var_os("SLUICE_HOME").filter(|home| !home.is_empty()) {
        Some(home) => home.into(),
        None => ".sluice".into(),
    }
}

/// The server whose cluster is in `home`.
pub fn at(home: &Path) -> EmbeddedPostgres {
    EmbeddedPostgres::new(home, "sluice")
        .home_is_chosen_by("set SLUICE_HOME to")
        .is_installed_by("sluice db install")
        .or_instead("use a server: set DATABASE_URL=postgresql://user@host:5432/database")
        .or_instead("use containers: docker compose up")
}

/// How to connect to it.
pub fn settings(server: &Server) -> Settings {
    Settings::of_socket(&server.socket, PORT, SUPERUSER, &server.database)
}
