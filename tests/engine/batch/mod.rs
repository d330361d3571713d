//! One batch: what the transform makes of it, what the load does with it.

mod constraints;
mod load_batch;
mod session;
mod steps;
mod transform_batch;
