//! The engine's functions without the loader: batches run by hand, in plain SQL.

mod constraints;
mod define_pipeline;
mod hashing;
mod load_batch;
mod quarantine;
mod support;
mod transform_batch;

use support::{Hand, Problem, items, problem};
