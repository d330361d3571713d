//! The rows of a table or query, and the statements that read them.

use std::sync::Arc;

use tokio_postgres::Client;

use super::column::PostgresColumn;
use super::{lookup, range};
use crate::error::{Error, Result};
use crate::source::Declared;
use crate::source::database::fetch::{RowWindow, WindowPart};
use crate::source::database::null_cursor_refused;
use crate::source::database::settings::{DatabaseSettings, NullCursor};

/// What is read, as the server knows it.
#[derive(Debug)]
pub(super) struct PostgresRelation {
    query: String,
    pub(super) names: Arc<[String]>,
    pub(super) cursor: Option<PostgresColumn>,
    key: Vec<PostgresColumn>,
    key_names: Vec<String>,
    /// Subtracted from the mark with which a window begins.
    lag: Option<String>,
    /// There may be rows without a cursor.
    has_nulls: bool,
}

impl PostgresRelation {
    /// Looks up what `settings` name.
    pub(super) async fn find(client: &Client, settings: &DatabaseSettings) -> Result<Self> {
        let (query, key, never_null) = match (&settings.table, &settings.query) {
            (Some(table), _) => lookup::of_table(client, table, settings).await?,
            (None, Some(query)) => (query.clone(), settings.key.clone(), false),
            (None, None) => return Err(Error::usage("the source names neither table nor query")),
        };
        let names: Vec<&String> = settings.cursor.iter().chain(&key).collect();
        let mut columns = lookup::columns(client, &query, &names).await?;
        let of_key = columns.split_off(usize::from(settings.cursor.is_some()));
        let relation = PostgresRelation {
            names: lookup::names(client, &query).await?,
            query,
            cursor: columns.pop(),
            key: of_key,
            key_names: key,
            lag: settings.lag().filter(|lag| lag != "0"),
            has_nulls: !never_null,
        };
        relation.refuse_nulls(client, settings).await?;
        if let (Some(cursor), Some(range)) = (&relation.cursor, &settings.range) {
            range::check(client, cursor, range).await?;
        }
        Ok(relation)
    }

    async fn refuse_nulls(&self, client: &Client, settings: &DatabaseSettings) -> Result<()> {
        let (Some(cursor), NullCursor::Refuse, true) =
            (&self.cursor, settings.null_cursor, self.has_nulls)
        else {
            return Ok(());
        };
        let sql = format!("select from {} where {} is null limit 1", self.from(), cursor.name);
        match client.query_typed(&sql, &[]).await?.is_empty() {
            true => Ok(()),
            false => Err(null_cursor_refused(&cursor.name)),
        }
    }

    pub(super) async fn declared(&self, client: &Client) -> Result<Declared> {
        Ok(Declared {
            fields: lookup::fields(client, &self.query).await?,
            key: self.key_names.clone(),
            is_binding: true,
        })
    }

    fn from(&self) -> String {
        format!("(\n{}\n) q", self.query)
    }

    /// The statement for the greatest cursor. One in the future does not count: it would hide all that
    /// comes before it.
    pub(super) fn newest(&self) -> Option<String> {
        let cursor = self.cursor.as_ref()?;
        let not_later = match cursor.type_name.as_str() {
            "timestamp with time zone" => format!(" and {} <= now()", cursor.name),
            "timestamp without time zone" => format!(" and {} <= now()::timestamp", cursor.name),
            "date" => format!(" and {} <= now()::date", cursor.name),
            _ => String::new(),
        };
        Some(format!(
            "select {}::text from {} where {} is not null{not_later} order by {} desc limit 1",
            cursor.name,
            self.from(),
            cursor.name,
            cursor.ordered(),
        ))
    }

    /// The statement that reads a window, and its parameters: payload, cursor if there is one, key. None
    /// for a window that is certain to be empty.
    pub(super) fn statement(&self, window: &RowWindow) -> Result<Option<(String, Vec<String>)>> {
        let cursor = match window.part {
            WindowPart::WithoutCursor if !self.has_nulls => return Ok(None),
            WindowPart::WithCursor => self.cursor.as_ref(),
            WindowPart::All | WindowPart::WithoutCursor | WindowPart::OfKeys => None,
        };
        let mut values = Vec::new();
        let mut wanted = Vec::new();
        if let (WindowPart::WithoutCursor, Some(cursor)) = (window.part, &self.cursor) {
            wanted.push(format!("{} is null", cursor.name));
        }
        let order: Vec<&PostgresColumn> = cursor.into_iter().chain(&self.key).collect();
        let list = |of: &dyn Fn(&PostgresColumn) -> String| {
            order.iter().map(|column| of(column)).collect::<Vec<_>>().join(", ")
        };
        if let Some(after) = &window.after {
            let mut casts = Vec::new();
            for (column, value) in order.iter().zip(after.cursor.iter().chain(&after.key)) {
                values.push(value.clone());
                casts.push(column.value(values.len()));
            }
            wanted.push(format!("({}) >= ({})", list(&PostgresColumn::ordered), casts.join(", ")));
        } else if let (Some(cursor), Some(from)) = (cursor, &window.from) {
            values.push(from.clone());
            let least = self.least(cursor, values.len())?;
            wanted.push(format!("{} >= {least}", cursor.ordered()));
        } else if let Some(cursor) = cursor {
            wanted.push(format!("{} is not null", cursor.name));
        }
        if let (Some(cursor), Some(to)) = (cursor, &window.to) {
            values.push(to.clone());
            wanted.push(format!("{} <= {}", cursor.ordered(), cursor.value(values.len())));
        }
        if window.part == WindowPart::OfKeys {
            wanted.extend(self.of_keys(window, &mut values)?);
        }
        let texts: String = order.iter().map(|column| format!(", {}::text", column.name)).collect();
        let condition = match wanted.is_empty() {
            true => String::new(),
            false => format!(" where {}", wanted.join(" and ")),
        };
        let sql = format!(
            "select row_to_json(q.*)::text{texts} from {}{condition} order by {}",
            self.from(),
            list(&PostgresColumn::ordered)
        );
        Ok(Some((sql, values)))
    }

    /// The conditions for the rows of some keys.
    fn of_keys(&self, window: &RowWindow, values: &mut Vec<String>) -> Result<Vec<String>> {
        values.push(serde_json::json!(window.keys).to_string());
        let number = values.len();
        let (mut names, mut casts) = (Vec::new(), Vec::new());
        for (index, column) in self.key.iter().enumerate() {
            names.push(column.name.clone());
            casts.push(format!("cast(w.key->>{index} as {})", column.type_name));
        }
        let mut wanted = vec![format!(
            "({}) in (select {} from jsonb_array_elements(cast(${number} as jsonb)) w (key))",
            names.join(", "),
            casts.join(", ")
        )];
        if let (Some(cursor), Some(from)) = (&self.cursor, &window.from) {
            values.push(from.clone());
            let least = self.least(cursor, number + 1)?;
            wanted.push(format!("({} is null or {} >= {least})", cursor.name, cursor.ordered()));
        }
        Ok(wanted)
    }

    /// The parameter `number`, less the lag.
    fn least(&self, cursor: &PostgresColumn, number: usize) -> Result<String> {
        let least = cursor.value(number);
        match &self.lag {
            Some(lag) => cursor.less(&least, lag),
            None => Ok(least),
        }
    }
}
