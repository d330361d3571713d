//! Defining, checking and dropping pipelines.

mod define_pipeline;
mod drop_pipeline;
