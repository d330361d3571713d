//! The views for people.

mod quarantine_open;
mod status;
