//! Parquet, from files and from objects.

mod damage;
mod objects;
mod resume;
pub(crate) mod support;
mod values;
