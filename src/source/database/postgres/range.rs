//! Checks the ranges of backfills, now that the type of the cursor is known.

use tokio_postgres::Client;

use super::column::{PostgresColumn, parameters};
use crate::error::{Error, Result};
use crate::source::database::settings::CursorRange;

/// Refuses a range that makes no sense.
pub(super) async fn check(
    client: &Client,
    cursor: &PostgresColumn,
    range: &CursorRange,
) -> Result<()> {
    if let Some(to) = &range.to {
        let is_day = to.len() == 10 && to.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if is_day && cursor.type_name.starts_with("timestamp") {
            return Err(Error::usage(format!(
                "to_mark is a day, {to}, and the cursor holds moments"
            ))
            .next(format!("--to '{to} 23:59:59.999999+00'")));
        }
    }
    let given = [&range.from, &range.to]
        .map(|mark| mark.clone().or(range.from.clone()).or(range.to.clone()));
    let [Some(from), Some(to)] = given else {
        return Ok(());
    };
    let sql = format!("select {} > {}", cursor.ordered_value(1), cursor.value(2));
    let row = client.query_typed(&sql, &parameters([&from, &to])).await?;
    match row[0].get(0) {
        false => Ok(()),
        true => Err(Error::usage(format!("the range from {from} to {to} ends before it begins"))
            .next("--from is the older one; both belong to the range")),
    }
}
