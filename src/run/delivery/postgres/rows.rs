//! Writes the rows of a parcel, and finds those that the table refuses.

use super::layout::{JSON_NULLS, Layout};
use crate::batch::Claimed;
use crate::db::quoted;
use crate::error::{Error, Result};
use crate::retry;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// So many refused, and none taken: it is not the rows.
const MOST_REFUSED: usize = 100;

/// A statement took longer than it may, or somebody cancelled it.
pub(super) const TIMED_OUT: &str = "57014";

/// Rows that one statement writes.
struct Group<'a> {
    sql: String,
    rows: Vec<&'a Claimed>,
}

/// By what is written of them. What is deleted goes first: another row may take its place.
pub(super) struct Rows<'a> {
    groups: Vec<Group<'a>>,
    /// Asks how many are not there.
    absent_sql: String,
    table: &'a str,
    refused: HashMap<i64, Error>,
    has_taken: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn of(
        deliveries: &'a [Claimed],
        layout: &'a Layout,
        key: &[String],
    ) -> Result<Self> {
        let mut deletes = Vec::new();
        let mut upserts: BTreeMap<BTreeSet<String>, Vec<&Claimed>> = BTreeMap::new();
        let mut refused = HashMap::new();
        for delivery in deliveries {
            match columns(delivery, key) {
                Err(error) => {
                    refused.insert(delivery.id, error);
                }
                Ok(_) if delivery.is_delete => deletes.push(delivery),
                Ok(columns) => upserts.entry(columns).or_default().push(delivery),
            }
        }
        let mut groups = Vec::new();
        if !deletes.is_empty() {
            groups.push(Group { sql: layout.delete(), rows: deletes });
        }
        for (columns, rows) in upserts {
            layout.check(&columns)?;
            let sql = layout.upsert(&columns);
            groups.push(Group { sql, rows });
        }
        Ok(Rows {
            groups,
            absent_sql: layout.absent(),
            table: &layout.name,
            refused,
            has_taken: false,
        })
    }

    /// Writes them; those that the table refuses, by their number.
    pub(super) async fn write(mut self, client: &Client) -> Result<HashMap<i64, Error>> {
        let groups = std::mem::take(&mut self.groups);
        for group in &groups {
            self.write_group(client, &group.sql, &group.rows).await?;
        }
        // What one row took up another may have given up, and what it refers to may have come.
        let mut left = usize::MAX;
        while self.refused.len() < left && self.has_taken {
            left = self.refused.len();
            for group in &groups {
                let again = group.rows.iter().copied().filter(|row| {
                    let error = self.refused.get(&row.id);
                    let sqlstate = error.and_then(Error::sqlstate);
                    sqlstate.is_some_and(|code| code.starts_with("23"))
                });
                for row in again.collect::<Vec<_>>() {
                    if self.try_some(client, &group.sql, &[row]).await?.is_none() {
                        self.refused.remove(&row.id);
                    }
                }
            }
        }
        Ok(self.refused)
    }

    /// All at once; where that fails, in halves, until a row is alone.
    async fn write_group(&mut self, client: &Client, sql: &str, rows: &[&Claimed]) -> Result<()> {
        let mut parts = vec![rows];
        while let Some(part) = parts.pop() {
            match (self.try_some(client, sql, part).await?, part) {
                (None, _) => self.has_taken = true,
                (Some(error), [row]) => {
                    self.refused.insert(row.id, error);
                    if self.refused.len() >= MOST_REFUSED && !self.has_taken {
                        return Ok(());
                    }
                }
                (Some(_), part) => {
                    let (one, other) = part.split_at(part.len() / 2);
                    parts.extend([other, one]);
                }
            }
        }
        Ok(())
    }

    /// Writes some, or nothing and why, if that may be a row's fault.
    async fn try_some(
        &self,
        client: &Client,
        sql: &str,
        rows: &[&Claimed],
    ) -> Result<Option<Error>> {
        let mut has_vanished = false;
        loop {
            client.batch_execute("savepoint part").await?;
            let error = match self.write_part(client, sql, rows).await {
                Ok(true) => return Ok(None),
                Ok(false) => vanished(self.table),
                Err(error) if is_of_a_row(&error, rows.len()) => error,
                Err(error) => return Err(explained(error)),
            };
            client.batch_execute("rollback to part").await?;
            // Somebody else may have written the row meanwhile.
            let is_first = error.sqlstate().is_none() && !has_vanished && rows.len() == 1;
            if !is_first {
                return Ok(Some(error));
            }
            has_vanished = true;
        }
    }

    /// Whether all that was to be written was.
    async fn write_part(&self, client: &Client, sql: &str, rows: &[&Claimed]) -> Result<bool> {
        let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
        let bodies = [(&bodies as &(dyn ToSql + Sync), Type::TEXT_ARRAY)];
        let done = client.query_typed_one(sql, &bodies).await?;
        let count = |place| done.get::<_, i64>(place);
        // A trigger may have put it elsewhere, where it is seen as a row of the table.
        if count(2) != count(3)
            || count(0) != count(1)
                && client.query_typed_one(&self.absent_sql, &bodies).await?.get::<_, i64>(0) > 0
        {
            return Ok(false);
        }
        // Deferred constraints would fail at commit, where no row can be told apart.
        client.batch_execute("set constraints all immediate; release part").await?;
        Ok(true)
    }
}

fn vanished(table: &str) -> Error {
    Error::failed(format!(
        "{table} kept the row from being written or deleted, and raised nothing"
    ))
    .next("a trigger there that returns null does that: let it raise an exception, or take the row")
}

/// The members of a body, the key among them.
fn columns(delivery: &Claimed, key: &[String]) -> Result<BTreeSet<String>> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(&delivery.body)
        .map_err(|cause| Error::failed("the body is not a JSON object").caused_by(cause))?;
    members.remove(JSON_NULLS);
    let is_missing = |name: &&String| members.get(*name).is_none_or(|raw| raw.get() == "null");
    match key.iter().find(is_missing) {
        Some(name) => {
            Err(Error::failed(format!("the body has no {}, which is of the key", quoted(name))))
        }
        None => Ok(members.into_keys().collect()),
    }
}

/// Whether one row may be to blame: its values, constraints, triggers. What is missing, forbidden or down concerns
/// all of them.
fn is_of_a_row(error: &Error, rows: usize) -> bool {
    let Some(sqlstate) = error.sqlstate() else {
        return false;
    };
    // Fewer rows may take less time than the server gives.
    if sqlstate == TIMED_OUT {
        return rows > 1;
    }
    let is_of_all = [
        "08", "0A", "0L", "0P", "21", "25", "28", "2D", "3D", "3F", "40", "42", "53", "55", "57",
        "58", "72", "F0", "HV", "XX",
    ]
    .iter()
    .any(|class| sqlstate.starts_with(class));
    // A policy of the table forbids the row.
    let is_hidden = sqlstate == "42501" && error.routine() == Some("ExecWithCheckOptions");
    is_hidden || !is_of_all && !retry::is_retryable_sqlstate(sqlstate)
}

/// With what to do about what concerns all rows.
fn explained(error: Error) -> Error {
    let step = match error.sqlstate() {
        Some("42501") => {
            "grant select, insert, update and delete on the table there to the role, and usage on its schema"
        }
        Some("21000") => {
            "two rows have one key there: the key of deliver has to tell apart whatever that of the pipeline does"
        }
        Some("428C9") => {
            "that server computes the column: leave it out, with columns => '{…}' or a body function"
        }
        Some("55000") => "that server says what the table lacks: see to it there, and send again",
        Some("42P01" | "42703") => "the table was changed meanwhile: send again",
        _ => return error,
    };
    error.next(step)
}
