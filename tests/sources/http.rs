//! The HTTP source against a server of the tests: settings in, batches out.

mod auth;
mod cursor;
mod faults;
mod formats;
mod guards;
mod pages;
mod range;
mod runs;
mod secrets;
mod since;
pub(super) mod support;
