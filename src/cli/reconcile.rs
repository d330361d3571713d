//! `sluice reconcile`: lists rows that were changed by hand.

use super::args;
use super::call::{Param, look, rows};
use super::context::Context;
use super::table::{self, Row};
use crate::error::Result;
use serde_json::{Value, json};

pub(super) async fn reconcile(context: &Context, args: &args::Reconcile) -> Result<u8> {
    let session = context.session().await?;
    let sql = "select * from sluice.reconcile(pipeline => $1, accept => pg_catalog.string_to_array($2, ','), reason => $3)";
    let accept = args.accept.join(",");
    let params: &[&dyn Param] = &[&args.pipeline, &accept, &args.reason];
    let mut found = match args.accept.is_empty() {
        true => look(&session, sql, params).await?,
        false => rows(&session, sql, params).await?,
    };
    let is_open = |row: &Row| row["rows"] != json!(0) && row["accepted"] == Value::Bool(false);
    let is_edited = found.iter().any(|row| row["what"] == "edited" && is_open(row));
    let is_open = found.iter().any(is_open);
    if !context.json {
        found.iter_mut().filter(|_| args.accept.is_empty()).for_each(|row| {
            row.shift_remove("accepted");
        });
    }
    table::print(&found, context.json, "");
    if is_open && !context.json {
        println!(
            "next:  what is right: sluice reconcile {} --accept WHAT --reason WHY; what is wrong comes back from the \
             source: sluice rewind {0} --to-start, and sluice run {0}",
            args.pipeline
        );
        if is_edited {
            // Its hash is still that of the record.
            println!(
                "       an edited row comes back only without its hash: update the target before, set sluice_hash = null"
            );
        }
    }
    Ok(0)
}
