//! Sources that are databases, against real servers.

mod access;
mod compare;
mod faults;
mod late;
mod loader;
pub(crate) mod mariadb;
mod marks;
mod mysql;
mod refused;
mod sqlite;
pub(crate) mod support;
mod values;
