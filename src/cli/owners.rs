//! Whose the pipelines are that a command leaves out.

use super::call::look;
use super::context::Context;
use super::diagnostics;
use super::table::{self, Row};
use crate::error::{Error, Result};
use tokio_postgres::Client;

/// Those that the role can neither run nor change.
pub(super) const OF_OTHERS: &str = "not o.is_yours";
/// Those that the role cannot even see.
pub(super) const HIDDEN: &str =
    "not exists (select from sluice.pipelines p where p.name = o.pipeline)";

/// The pipelines that are left out, each with its owner; nothing if there is none.
async fn left_out(session: &Client, which: &str) -> Result<String> {
    let sql = format!(
        "select pg_catalog.string_agg(pg_catalog.format('%s (%s)', o.pipeline, o.owner), ', ' order by o.pipeline) as names
         from sluice.owners o where not o.is_backfill and {which}"
    );
    let rows = look(session, &sql, &[]).await?;
    let names = rows.first().and_then(|row| row["names"].as_str());
    Ok(names.unwrap_or_default().to_owned())
}

/// Says which are left out beside the `number` that a command found; an error where that is none.
pub(super) async fn note_left_out(session: &Client, which: &str, number: usize) -> Result<()> {
    let others = left_out(session, which).await?;
    match (number, others.as_str()) {
        (_, "") => {}
        (0, _) => {
            return Err(Error::usage(format!("no pipeline is yours: {others}"))
                .next("connect as a member of the role that owns them"));
        }
        _ => diagnostics::note(&format!("left out, as they belong to others: {others}")),
    }
    Ok(())
}

/// Prints a list of pipelines, or why it is empty.
pub(super) async fn print(context: &Context, session: &Client, rows: &[Row]) -> Result<()> {
    let others = match rows.is_empty() && !context.json {
        true => left_out(session, HIDDEN).await?,
        false => String::new(),
    };
    let when_empty = match others.as_str() {
        "" => "no pipeline is defined; \"sluice apply FILE\" defines one".to_owned(),
        others => format!("no pipeline is yours: {others}"),
    };
    table::print(rows, context.json, &when_empty);
    Ok(())
}
