//! Calls functions of the engine, and prints their answers.

use super::context::Context;
use super::table::{self, Row};
use crate::db::END_WITH_THE_CLIENT;
use crate::error::Result;
use serde_json::Value;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// A parameter. Its type goes with it, as nothing can be prepared behind a pooler.
pub(super) trait Param: ToSql + Sync {
    fn sql_type(&self) -> Type;
}

macro_rules! params {
    ($($rust:ty => $sql:ident),*) => {$(
        impl Param for $rust {
            fn sql_type(&self) -> Type {
                Type::$sql
            }
        }

        impl Param for Option<$rust> {
            fn sql_type(&self) -> Type {
                Type::$sql
            }
        }
    )*};
}

params!(String => TEXT, &str => TEXT, bool => BOOL, i32 => INT4, i64 => INT8, f64 => FLOAT8,
    Vec<i64> => INT8_ARRAY, &Vec<i64> => INT8_ARRAY, &Vec<String> => TEXT_ARRAY, Value => JSONB);

/// Names resolve to the server's own, whatever is in the schemas of the session's path. Only for the
/// transaction, as behind a pooler the session is not ours.
const SETTINGS: &str = "set local search_path = pg_catalog, pg_temp; set local jit = off";

/// The rows of a query, in a transaction of its own.
pub(super) async fn rows(client: &Client, sql: &str, params: &[&dyn Param]) -> Result<Vec<Row>> {
    rows_and(client, sql, params, "commit").await
}

/// The rows of a query that only looks. Nothing that it wrote remains: that could only be the work of the
/// target owner's code, such as a cast, with the rights of whoever looks.
pub(super) async fn look(client: &Client, sql: &str, params: &[&dyn Param]) -> Result<Vec<Row>> {
    rows_and(client, sql, params, "rollback").await
}

async fn rows_and(
    client: &Client,
    sql: &str,
    params: &[&dyn Param],
    end: &str,
) -> Result<Vec<Row>> {
    let begin = format!("begin; {SETTINGS}; {END_WITH_THE_CLIENT}");
    client.batch_execute(&begin).await?;
    let rows = rows_within(client, sql, params).await?;
    client.batch_execute(end).await?;
    Ok(rows)
}

/// Begins a transaction for looks that belong together: one snapshot, in which nothing can be written, whatever code
/// the targets run.
pub(super) async fn begin_looking(client: &Client) -> Result<()> {
    let begin = format!(
        "begin isolation level repeatable read read only; {SETTINGS}; {END_WITH_THE_CLIENT}"
    );
    Ok(client.batch_execute(&begin).await?)
}

/// The rows of a query, within the caller's transaction.
pub(super) async fn rows_within(
    client: &Client,
    sql: &str,
    params: &[&dyn Param],
) -> Result<Vec<Row>> {
    let params: Vec<(&(dyn ToSql + Sync), Type)> =
        params.iter().map(|param| (*param as &(dyn ToSql + Sync), param.sql_type())).collect();
    // One row in, one value out: Postgres writes the JSON, and no type needs a case here.
    let rows = client
        .query_typed(&format!("select row_to_json(result) from ({sql}) result"), &params)
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| match row.get(0) {
            Value::Object(object) => Some(object),
            _ => None,
        })
        .collect())
}

/// Calls a function that changes something, and prints its answer: a sentence as it is, a
/// count behind its name. As JSON the answer stands beside what it is `about`.
pub(super) async fn call(
    context: &Context,
    about: Value,
    sql: &str,
    params: &[&dyn Param],
) -> Result<u8> {
    let session = context.session().await?;
    for answer in rows(&session, sql, params).await? {
        match (&about, answer.values().next()) {
            (Value::Object(about), _) if context.json => {
                let mut report = about.clone();
                report.extend(answer);
                println!("{}", Value::Object(report));
            }
            (_, Some(Value::String(sentence))) => println!("{sentence}"),
            (about, _) => {
                let subject = about["pipeline"].as_str().unwrap_or_default();
                let counts = answer.iter().map(|(name, count)| format!(" {name}={count}"));
                println!("{subject}{}", counts.collect::<String>());
            }
        }
    }
    Ok(0)
}

/// Prints the rows of a query.
pub(super) async fn list(
    context: &Context,
    sql: &str,
    params: &[&dyn Param],
    when_empty: &str,
) -> Result<u8> {
    let session = context.session().await?;
    let rows = look(&session, sql, params).await?;
    table::print(&rows, context.json, when_empty);
    Ok(0)
}
