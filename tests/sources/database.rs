//! Sources that are databases, against real servers.

mod access;
mod compare;
mod faults;
mod late;
mod loader;
#[cfg(feature = "mysql")]
pub(crate) mod mariadb;
mod marks;
#[cfg(feature = "mysql")]
mod mysql;
mod refused;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
mod standby;
pub(crate) mod support;
mod targets;
mod values;
