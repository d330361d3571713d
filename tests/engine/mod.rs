//! The engine's functions without the loader: batches run by hand, in plain SQL.

mod define_pipeline;
mod support;
mod transform_batch;

use support::{Hand, Problem, items, problem};
