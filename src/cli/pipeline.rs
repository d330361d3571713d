//! `sluice show`, `set`, `pause`, `resume` and `drop`: what a pipeline is, and whether it runs.

use super::args;
use super::call::call;
use super::context::Context;
use crate::error::{Error, Result};
use serde_json::{Map, Value, json};

pub(super) async fn show(context: &Context, args: &args::Show) -> Result<u8> {
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.definition(pipeline => $1, version => $2) as definition",
        &[&args.pipeline, &args.version],
    )
    .await
}

/// All of them or none.
pub(super) async fn set(context: &Context, args: &args::Set) -> Result<u8> {
    let policies: Map<String, Value> = args
        .policies
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.set_policy(pipeline => $1, policy => p.key, value => p.value) as done
         from pg_catalog.jsonb_each_text($2) p",
        &[&args.pipeline, &Value::Object(policies)],
    )
    .await
}

pub(super) async fn pause(context: &Context, args: &args::OfPipeline) -> Result<u8> {
    on(context, &args.pipeline, "pause_pipeline").await
}

pub(super) async fn resume(context: &Context, args: &args::OfPipeline) -> Result<u8> {
    on(context, &args.pipeline, "resume_pipeline").await
}

pub(super) async fn drop(context: &Context, args: &args::Drop) -> Result<u8> {
    if !args.yes {
        return Err(Error::usage(format!(
            "dropping pipeline {} forgets its definition, cursor, ledger and quarantine, and cannot be undone",
            args.pipeline
        ))
        .next(format!(
            "\"sluice drop {0} --yes\"; the target keeps its rows. \"sluice show {0}\" prints the definition, \"sluice pause {0}\" only stops it",
            args.pipeline
        )));
    }
    on(context, &args.pipeline, "drop_pipeline").await
}

async fn on(context: &Context, pipeline: &String, function: &str) -> Result<u8> {
    let sql = format!("select sluice.{function}(pipeline => $1) as done");
    call(context, json!({"pipeline": pipeline}), &sql, &[pipeline]).await
}
