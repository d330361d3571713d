//! The views for people.

mod status;
