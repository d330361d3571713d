//! Commands that only call the engine and print its answer.

use super::args;
use super::call::{Param, call, list, look};
use super::context::Context;
use super::owners;
use super::table;
use crate::error::{Error, Result};
use serde_json::{Map, Value, json};

pub(super) async fn activate(context: &Context, args: &args::Activate) -> Result<u8> {
    let about = json!({"pipeline": args.pipeline, "version": args.version});
    let sql = "select sluice.activate_version(pipeline => $1, version => $2) as done";
    call(context, about, sql, &[&args.pipeline, &args.version]).await
}

pub(super) async fn show(context: &Context, args: &args::Show) -> Result<u8> {
    let sql = "select sluice.definition(pipeline => $1, version => $2) as definition";
    of(&args.pipeline, context, sql, &[&args.pipeline, &args.version]).await
}

/// All of them or none.
pub(super) async fn set(context: &Context, args: &args::Set) -> Result<u8> {
    let policies = args.policies.iter();
    let policies: Map<String, Value> =
        policies.map(|(name, value)| (name.clone(), json!(value))).collect();
    let sql = "select sluice.set_policies(pipeline => $1, policies => $2) as done";
    of(&args.pipeline, context, sql, &[&args.pipeline, &Value::Object(policies)]).await
}

pub(super) async fn pause(context: &Context, args: &args::OfPipeline) -> Result<u8> {
    let sql = "select sluice.pause_pipeline(pipeline => $1) as done";
    of(&args.pipeline, context, sql, &[&args.pipeline]).await
}

pub(super) async fn resume(context: &Context, args: &args::OfPipeline) -> Result<u8> {
    let sql = "select sluice.resume_pipeline(pipeline => $1) as done";
    of(&args.pipeline, context, sql, &[&args.pipeline]).await
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
    let sql = "select sluice.drop_pipeline(pipeline => $1) as done";
    of(&args.pipeline, context, sql, &[&args.pipeline]).await
}

pub(super) async fn skip(context: &Context, args: &args::Skip) -> Result<u8> {
    let sql = "select sluice.skip(pipeline => $1, object => $2, pages => $3, reason => $4) as done";
    let (object, pages) = (&args.what.object, &args.what.pages);
    of(&args.pipeline, context, sql, &[&args.pipeline, object, pages, &args.reason]).await
}

pub(super) async fn versions(context: &Context, args: &args::Reporting) -> Result<u8> {
    let view = match context.json {
        true => "versions_details",
        false => "versions",
    };
    let sql = format!(
        "select * from sluice.{view} where $1::text is null or pipeline = sluice.pipeline_name($1)"
    );
    let session = context.session().await?;
    let versions = look(&session, &sql, &[&args.pipeline]).await?;
    owners::print(context, &session, &versions).await?;
    Ok(0)
}

pub(super) async fn discard(context: &Context, args: &args::Discard) -> Result<u8> {
    let (ids, filter) = (&args.which.ids, &args.which.filter);
    if args.dry_run {
        let sql = "select id, sqlstate, origin || ':' || position as place, seen, message, payload
             from sluice.quarantine_open_details where id = any (array(select sluice.find_quarantined($1, $2, $3))) order by id";
        return preview(context, sql, &[&args.pipeline, ids, filter], "would discard").await;
    }
    let sql = "select sluice.discard(pipeline => $1, quarantine_ids => $2, reason => $3, filter => $4, all_open => $5) as discarded";
    let params: [&dyn Param; 5] = [&args.pipeline, ids, &args.reason, filter, &args.which.all];
    of(&args.pipeline, context, sql, &params).await
}

pub(super) async fn reopen(context: &Context, args: &args::Reopen) -> Result<u8> {
    let (ids, filter) = (&args.which.ids, &args.which.filter);
    if args.dry_run {
        let sql = "select id, sqlstate, origin || ':' || position as place, reason, discarded_by, message, payload
             from sluice.quarantine_discarded where id in (select sluice.find_discarded($1, $2, $3)) order by id";
        return preview(context, sql, &[&args.pipeline, ids, filter], "would reopen").await;
    }
    let sql = "select sluice.reopen(pipeline => $1, quarantine_ids => $2, filter => $3, all_discarded => $4) as reopened";
    of(&args.pipeline, context, sql, &[&args.pipeline, ids, filter, &args.which.all]).await
}

/// Calls a function whose answer is about a pipeline.
async fn of(pipeline: &str, context: &Context, sql: &str, params: &[&dyn Param]) -> Result<u8> {
    call(context, json!({"pipeline": pipeline}), sql, params).await
}

/// Prints the records that something would be done to, and how many they are.
async fn preview(context: &Context, sql: &str, params: &[&dyn Param], what: &str) -> Result<u8> {
    let session = context.session().await?;
    let records = look(&session, sql, params).await?;
    table::print(&records, context.json, "no such record");
    if !context.json {
        println!("{what}: records={}", records.len());
    }
    Ok(0)
}

pub(super) async fn deliveries(context: &Context, args: &args::Deliveries) -> Result<u8> {
    let rows = match context.json {
        true => "select * from sluice.deliveries_details",
        // As in summaries, the first target goes without saying.
        false => {
            "select d.id, d.pipeline, d.state, d.operation, d.key, d.status,
               d.reason as error, nullif(d.target, p.target) as target
             from sluice.deliveries_details d join sluice.pipelines p on p.name = d.pipeline"
        }
    };
    let sql = format!(
        "{rows} where pipeline = sluice.pipeline_name($1) and (not $2 or state = 'dead')
         order by id"
    );
    let params: &[&dyn Param] = &[&args.pipeline, &args.dead];
    list(context, &sql, params, "there are no such deliveries").await
}

pub(super) async fn redeliver(context: &Context, args: &args::Redeliver) -> Result<u8> {
    let sql = "select sluice.redeliver(pipeline => $1, delivery_ids => $2) as unsent";
    of(&args.pipeline, context, sql, &[&args.pipeline, &args.ids]).await
}
