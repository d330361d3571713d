//! The HTTP source against a server of the tests: settings in, batches out.

mod answers;
mod auth;
mod cursor;
mod ends;
mod faults;
mod formats;
mod guards;
mod pages;
mod range;
mod reach;
mod runs;
mod secrets;
mod since;
pub(super) mod support;
mod tokens;
