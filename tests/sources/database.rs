//! Sources that are databases, against real servers.

mod access;
mod faults;
mod late;
mod loader;
mod marks;
mod refused;
pub(crate) mod support;
mod values;
