//! Defining, checking and dropping pipelines.

mod define_pipeline;
mod definition;
mod drop_pipeline;
mod explain_call;
mod set_policy;
