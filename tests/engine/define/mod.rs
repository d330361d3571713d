//! Defining, checking and dropping pipelines.

mod define_pipeline;
mod definition;
mod drop_pipeline;
mod set_policy;
