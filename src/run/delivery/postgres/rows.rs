//! The rows of a parcel on their way into the table, and which of them it refuses.

use super::layout::Layout;
use crate::batch::Claimed;
use crate::db::quoted;
use crate::error::{Error, Result};
use crate::retry;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// So many refused, and none taken: it is not the rows.
const MOST_REFUSED: usize = 100;

/// Rows that one statement writes.
struct Group<'a> {
    sql: String,
    rows: Vec<&'a Claimed>,
}

/// By what is written of them. What is deleted goes first: another row may take its place.
pub(super) struct Rows<'a> {
    groups: Vec<Group<'a>>,
    refused: HashMap<i64, Error>,
    has_taken: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn of(deliveries: &'a [Claimed], layout: &Layout, key: &[String]) -> Result<Self> {
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
            groups.push(Group {
                sql: layout.delete(),
                rows: deletes,
            });
        }
        for (columns, rows) in upserts {
            layout.check(&columns)?;
            let sql = layout.upsert(&columns);
            groups.push(Group { sql, rows });
        }
        Ok(Rows {
            groups,
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
        let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
        client.batch_execute("savepoint part").await?;
        let write = async {
            client
                .query_typed(sql, &[(&bodies, Type::TEXT_ARRAY)])
                .await?;
            // Deferred constraints would fail at commit, where no row can be told apart.
            client
                .batch_execute("set constraints all immediate; release part")
                .await
        };
        let Err(error) = write.await else {
            return Ok(None);
        };
        let error = Error::from(error);
        if !is_of_a_row(&error) {
            return Err(explained(error));
        }
        client.batch_execute("rollback to part").await?;
        Ok(Some(error))
    }
}

/// The members of a body, the key among them.
fn columns(delivery: &Claimed, key: &[String]) -> Result<BTreeSet<String>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(&delivery.body)
        .map_err(|cause| Error::failed("the body is no JSON object").caused_by(cause))?;
    let is_missing = |name: &&String| members.get(*name).is_none_or(|raw| raw.get() == "null");
    match key.iter().find(is_missing) {
        Some(name) => Err(Error::failed(format!(
            "the body has no {}, which is of the key",
            quoted(name)
        ))),
        None => Ok(members.into_keys().collect()),
    }
}

/// Whether one row may be to blame: its values, constraints, triggers. What is missing, forbidden or down concerns
/// all of them.
fn is_of_a_row(error: &Error) -> bool {
    let Some(sqlstate) = error.sqlstate() else {
        return false;
    };
    let is_of_all = [
        "08", "0A", "0L", "0P", "21", "25", "28", "2D", "3D", "3F", "40", "42", "53", "55", "57",
        "58", "F0", "XX",
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
        Some("42P01" | "42703") => "the table was changed meanwhile: send again",
        _ => return error,
    };
    error.next(step)
}
