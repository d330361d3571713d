//! Looks up a table, or the columns of a query, in the catalog.

use std::sync::Arc;

use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::column::{PostgresColumn, parameters};
use crate::db::quoted;
use crate::error::{Error, Result};
use crate::source::DeclaredField;
use crate::source::database::settings::DatabaseSettings;

/// The query for a table, its key, and whether its cursor is never null.
pub(super) async fn of_table(
    client: &Client,
    table: &str,
    settings: &DatabaseSettings,
) -> Result<(String, Vec<String>, bool)> {
    let found = client
        .query_typed(
            "select c.oid::regclass::text,
               array(select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, place)
                 join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                 where i.indrelid = c.oid and i.indisprimary order by k.place),
               coalesce((select a.attnotnull from pg_attribute a where a.attrelid = c.oid and a.attname = $2), false)
             from pg_class c where c.oid = to_regclass($1)",
            &parameters([&table, &settings.cursor.as_deref().unwrap_or_default()]),
        )
        .await?;
    let Some(row) = found.first() else {
        return Err(Error::usage(format!("the source has no table {table}"))
            .next("its name has the schema before it, unless that is public: \"table\" => 'shop.orders'; names with capitals have quotes: 'shop.\"Orders\"'"));
    };
    let primary: Vec<String> = row.get(1);
    let key = match settings.key.is_empty() {
        true => primary,
        false => settings.key.clone(),
    };
    if key.is_empty() {
        return Err(Error::usage(format!("the source's table {table} has no primary key"))
            .next("key => '{id}': columns that tell its rows apart and are never null"));
    }
    let name: String = row.get(0);
    Ok((format!("select * from {name}"), key, row.get(2)))
}

/// What the server says of columns. Nothing is read for it.
pub(super) async fn columns(
    client: &Client,
    query: &str,
    names: &[&String],
) -> Result<Vec<PostgresColumn>> {
    let names: Vec<String> = names.iter().map(|name| format!("q.{}", quoted(name))).collect();
    let oids: Vec<String> = names.iter().map(|name| format!("pg_typeof({name})::oid")).collect();
    let sql = format!(
        "select format_type(t.oid, -1), t.typcollation <> 0, t.typcategory::text
         from (values (1)) one left join (\n{query}\n) q on false
         cross join unnest(array[{}]) with ordinality c (oid, place) join pg_type t on t.oid = c.oid
         order by c.place",
        oids.join(", ")
    );
    let rows = client.query_typed(&sql, &[]).await?;
    Ok(names
        .into_iter()
        .zip(rows)
        .map(|(name, row)| PostgresColumn {
            name,
            type_name: row.get(0),
            is_text: row.get(1),
            category: row.get(2),
        })
        .collect())
}

/// The names of all columns; a record is an object, which has each name once. Called after [`columns`], so
/// that it takes no second statement.
pub(super) async fn names(client: &Client, query: &str) -> Result<Arc<[String]>> {
    let sql = format!("select * from (\n{query}\n) q limit 0");
    for message in client.simple_query(&sql).await? {
        let SimpleQueryMessage::RowDescription(columns) = message else {
            continue;
        };
        let names = columns.iter().map(|column| column.name().to_owned());
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].iter().any(|other| other.name() == column.name()) {
                return Err(Error::usage(format!(
                    "the query of the source has two columns {}",
                    quoted(column.name())
                ))
                .next("give one of them another name: select a.id, b.id as other_id ..."));
            }
        }
        return Ok(names.collect());
    }
    Ok(Arc::default())
}

/// All columns with the types that hold their values as `row_to_json` writes them. Lengths and scales
/// are left out: the source may widen them, and a number would be rounded then.
pub(super) async fn fields(client: &Client, query: &str) -> Result<Vec<DeclaredField>> {
    let described = client.prepare(&format!("select * from (\n{query}\n) q")).await?;
    let fields = described.columns().iter().map(|column| DeclaredField {
        name: column.name().to_owned(),
        sql: kept_as(column.type_()),
        choice: None,
    });
    Ok(fields.collect())
}

fn kept_as(of: &Type) -> &'static str {
    match *of {
        Type::BOOL => "boolean",
        Type::INT2 => "smallint",
        Type::INT4 => "integer",
        Type::INT8 => "bigint",
        Type::NUMERIC => "numeric",
        Type::FLOAT4 => "real",
        Type::FLOAT8 => "double precision",
        Type::DATE => "date",
        Type::TIME => "time",
        Type::TIMESTAMP => "timestamp",
        Type::TIMESTAMPTZ => "timestamptz",
        Type::INTERVAL => "interval",
        Type::UUID => "uuid",
        Type::BYTEA => "bytea",
        Type::JSON | Type::JSONB => "jsonb",
        _ => match of.kind() {
            Kind::Domain(base) => kept_as(base),
            Kind::Array(_) | Kind::Composite(_) => "jsonb",
            _ => "text",
        },
    }
}
