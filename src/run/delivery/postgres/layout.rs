//! The destination table as it is found, and the statements that write to it.

use crate::db::{literal, quoted};
use crate::error::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// $1: the name of the table; $2: its key.
const FIND: &str = "
select pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
  pg_catalog.format('%I.sluice_parcels', n.nspname) as parcels,
  pg_catalog.to_regclass(pg_catalog.format('%I.sluice_parcels', n.nspname)) is not null as has_parcels,
  exists (
    select from pg_catalog.pg_index i
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
      and i.indnkeyatts = pg_catalog.cardinality($2) and i.indnkeyatts = (
        select pg_catalog.count(*)
        from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality k (number, place)
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
        where k.place <= i.indnkeyatts and a.attname = any ($2))) as has_key,
  array(select a.attname::pg_catalog.text from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
  array(select pg_catalog.format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as types
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = pg_catalog.to_regclass($1)";

/// A member of bodies: the columns whose value is the null of JSON, and not that of SQL.
pub(super) const JSON_NULLS: &str = "sluice_json_nulls";

pub(super) struct Layout {
    /// Qualified and quoted.
    pub(super) name: String,
    /// Where the last parcel is noted.
    pub(super) parcels: String,
    pub(super) has_parcels: bool,
    key: Vec<String>,
    types: HashMap<String, String>,
}

impl Layout {
    pub(super) async fn find(client: &Client, table: &str, key: &[String]) -> Result<Self> {
        let found =
            client.query_typed(FIND, &[(&table, Type::TEXT), (&key, Type::TEXT_ARRAY)]).await?;
        let Some(row) = found.first() else {
            return Err(Error::failed(format!("there is no table {table}"))
                .next("create it there, or correct the table of deliver (with its schema)"));
        };
        let columns: Vec<String> = row.get("columns");
        let types: Vec<String> = row.get("types");
        let layout = Layout {
            name: row.get("name"),
            parcels: row.get("parcels"),
            has_parcels: row.get("has_parcels"),
            key: key.to_owned(),
            types: columns.into_iter().zip(types).collect(),
        };
        // Of a key that is not known yet there is nothing to say.
        if !key.is_empty() && !row.get::<_, bool>("has_key") {
            let key = list(key, quoted);
            return Err(Error::failed(format!(
                "{} has no unique index on ({key})",
                layout.name
            ))
            .next(format!(
                "give it one there: create unique index on {} ({key}); or name the key that it has: key => '{{…}}'",
                layout.name
            )));
        }
        Ok(layout)
    }

    /// Whether it has all these columns.
    pub(super) fn check(&self, columns: &BTreeSet<String>) -> Result<()> {
        match columns.iter().find(|name| !self.types.contains_key(*name)) {
            None => Ok(()),
            Some(name) => Err(Error::failed(format!("{} has no column {}", self.name, quoted(name)))
                .next("add it there, or deliver only some: columns => '{…}', or a body function with its columns")),
        }
    }

    /// Rows that are not there are inserted, those that are otherwise updated, and those that are as they should
    /// be are left alone. $1: their bodies. Says how many were to be and were inserted, and updated or deleted.
    pub(super) fn upsert(&self, columns: &BTreeSet<String>) -> String {
        let names: Vec<&String> = columns.iter().collect();
        let rest: Vec<&String> =
            columns.iter().filter(|column| !self.key.contains(column)).collect();
        let (table, given) = (&self.name, self.given(&names));
        let all = list(&names, quoted);
        let from = list(&names, |column| format!("g.{}", quoted(column)));
        let same_key = self.same_key();
        let key = list(&self.key, quoted);
        if rest.is_empty() {
            return format!(
                "{given},
met as materialized (select g.* from given g where exists (select from {table} t where {same_key})),
inserted as (
  insert into {table} ({all}) select {from} from given g on conflict ({key}) do nothing returning 1)
select (select pg_catalog.count(*) from given) - (select pg_catalog.count(*) from met),
  (select pg_catalog.count(*) from inserted), 0::pg_catalog.int8, 0::pg_catalog.int8"
            );
        }
        // As images, of which every type has one.
        let row = |alias: &str| {
            let columns = list(&rest, |column| format!("{alias}.{}", quoted(column)));
            format!("row({columns})")
        };
        let set = |from: &str| list(&rest, |column| format!("{0} = {from}.{0}", quoted(column)));
        format!(
            "{given},
met as materialized (
  select {met}, pg_catalog.record_image_ne({there}, {here}) as sluice_is_other
  from {table} t join given g on {same_key}),
updated as (
  update {table} t set {set} from given g
  where {same_key} and pg_catalog.record_image_ne({there}, {here})
  returning 1),
inserted as (
  insert into {table} as t ({all})
  select {from} from given g where not exists (select from met t where {same_key})
  on conflict ({key}) do update set {set_excluded}
  where pg_catalog.record_image_ne({there}, {excluded})
  returning 1)
select (select pg_catalog.count(*) from given) - (select pg_catalog.count(*) from met),
  (select pg_catalog.count(*) from inserted),
  (select pg_catalog.count(*) from met where sluice_is_other), (select pg_catalog.count(*) from updated)",
            met = list(&self.key, |column| format!("t.{}", quoted(column))),
            set = set("g"),
            there = row("t"),
            here = row("g"),
            set_excluded = set("excluded"),
            excluded = row("excluded"),
        )
    }

    /// $1: bodies with the key. Says the same.
    pub(super) fn delete(&self) -> String {
        let key: Vec<&String> = self.key.iter().collect();
        format!(
            "{given},
met as materialized (select t.* from {table} t join given g on {same_key}),
deleted as (delete from {table} t using given g where {same_key} returning 1)
select 0::pg_catalog.int8, 0::pg_catalog.int8, (select pg_catalog.count(*) from met),
  (select pg_catalog.count(*) from deleted)",
            given = self.given(&key),
            table = self.name,
            same_key = self.same_key()
        )
    }

    /// How many of the rows are not there. $1: bodies with the key.
    pub(super) fn absent(&self) -> String {
        let key: Vec<&String> = self.key.iter().collect();
        format!(
            "{}\nselect pg_catalog.count(*) from given g where not exists (select from {} t where {})",
            self.given(&key),
            self.name,
            self.same_key()
        )
    }

    /// The rows that bodies are, in the types of the table: its server reads them.
    fn given(&self, columns: &[&String]) -> String {
        let kind = |column: &str| self.types.get(column).map_or("text", String::as_str);
        let types = list(columns, |column| format!("{} {}", quoted(column), kind(column)));
        let values = list(columns, |column| {
            let (name, kind) = (quoted(column), kind(column));
            match kind {
                "json" | "jsonb" => format!(
                    "case when {} = any (r.{JSON_NULLS}) then 'null'::{kind} else r.{name} end as {name}",
                    literal(column)
                ),
                _ => format!("r.{name}"),
            }
        });
        format!(
            "with given as materialized (
  select {values} from pg_catalog.unnest($1::pg_catalog.text[]) b (body)
  cross join lateral pg_catalog.json_to_record(b.body::pg_catalog.json)
    as r ({types}, {JSON_NULLS} pg_catalog.text[]))"
        )
    }

    fn same_key(&self) -> String {
        let equal = self.key.iter().map(|column| format!("t.{0} = g.{0}", quoted(column)));
        equal.collect::<Vec<_>>().join(" and ")
    }
}

fn list<T: AsRef<str>>(names: &[T], write: impl Fn(&str) -> String) -> String {
    let written: Vec<String> = names.iter().map(|name| write(name.as_ref())).collect();
    written.join(", ")
}
