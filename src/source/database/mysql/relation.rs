//! The rows of a table or query, and the statements that read them.

use std::sync::Arc;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value};

use super::column::{MySqlColumn, quoted};
use crate::error::{Error, Result};
use crate::source::Declared;
use crate::source::database::fetch::{RowWindow, WindowPart};
use crate::source::database::settings::DatabaseSettings;

/// What is read, as the server knows it.
pub(super) struct MySqlRelation {
    query: String,
    pub(super) columns: Vec<MySqlColumn>,
    pub(super) names: Arc<[String]>,
    cursor: Option<MySqlColumn>,
    key: Vec<MySqlColumn>,
    /// Subtracted from the mark with which a window begins.
    lag: Option<String>,
}

impl MySqlRelation {
    /// Looks up what `settings` name.
    pub(super) async fn find(
        connection: &mut Conn,
        settings: &DatabaseSettings,
    ) -> mysql_async::Result<Result<Self>> {
        let query = match (&settings.table, &settings.query) {
            (Some(table), _) => format!("select * from {}", quoted(table).replace('.', "`.`")),
            (None, query) => query.clone().unwrap_or_default(),
        };
        let described =
            connection.query_iter(format!("select * from (\n{query}\n) q limit 0")).await?;
        let columns: Vec<MySqlColumn> =
            described.columns_ref().iter().map(MySqlColumn::of).collect();
        described.drop_result().await?;
        let mut key = settings.key.clone();
        if let (Some(table), true) = (&settings.table, key.is_empty()) {
            key = primary_key(connection, table).await?;
            if key.is_empty() {
                return Ok(Err(Error::usage(format!(
                    "the source's table {table} has no primary key"
                ))
                .next("key => '{id}': columns that tell its rows apart and are never null")));
            }
        }
        let column = |name: &String| {
            columns.iter().find(|column| column.name == *name).cloned().ok_or_else(|| {
                Error::usage(format!("the source has no column {name}"))
                    .next("check cursor and key of the source; names are as the server writes them")
            })
        };
        let found = || {
            Ok(MySqlRelation {
                query,
                cursor: settings.cursor.as_ref().map(column).transpose()?,
                key: key.iter().map(column).collect::<Result<_>>()?,
                names: columns.iter().map(|column| column.name.clone()).collect(),
                columns: columns.clone(),
                lag: settings.lag().filter(|lag| lag != "0"),
            })
        };
        Ok(found())
    }

    pub(super) fn declared(&self) -> Declared {
        Declared {
            fields: self.columns.iter().map(MySqlColumn::declared).collect(),
            key: self.key.iter().map(|column| column.name.clone()).collect(),
            is_binding: true,
        }
    }

    fn from(&self) -> String {
        format!("(\n{}\n) q", self.query)
    }

    /// The statement for the greatest cursor that is not in the future.
    pub(super) fn newest(&self) -> Option<String> {
        let cursor = self.cursor.as_ref()?;
        Some(format!(
            "select {} from {} where {} is not null{} order by {} desc limit 1",
            cursor.selected(),
            self.from(),
            cursor.of_q(),
            cursor.not_later(),
            cursor.ordered()
        ))
    }

    /// The statement that finds a row without a cursor, if there can be one.
    pub(super) fn without_cursor(&self) -> Option<String> {
        let cursor = self.cursor.as_ref().filter(|cursor| !cursor.is_never_null)?;
        Some(format!("select 1 from {} where {} is null limit 1", self.from(), cursor.of_q()))
    }

    /// The texts of a place: of cursor and key, from the `first` of these columns on.
    pub(super) fn place(
        &self,
        values: &[Value],
        first: usize,
        count: usize,
    ) -> Result<Vec<Option<String>>> {
        let skipped = first.min(usize::from(self.cursor.is_some()));
        let columns = self.cursor.iter().chain(&self.key).skip(skipped);
        let kept = columns.zip(values).take(count).map(|(column, value)| match value {
            Value::Bytes(bytes) => column.kept(bytes).map(Some),
            _ => Ok(None),
        });
        kept.collect()
    }

    /// The statement that reads a window: the columns, then the cursor if there is one, and the key. None
    /// for a window that is certain to be empty.
    pub(super) fn statement(&self, window: &RowWindow) -> Result<Option<String>> {
        let cursor = match window.part {
            WindowPart::WithoutCursor if self.without_cursor().is_none() => return Ok(None),
            WindowPart::WithCursor => self.cursor.as_ref(),
            WindowPart::All | WindowPart::WithoutCursor | WindowPart::OfKeys => None,
        };
        let order: Vec<&MySqlColumn> = cursor.into_iter().chain(&self.key).collect();
        let mut wanted = Vec::new();
        if let (WindowPart::WithoutCursor, Some(cursor)) = (window.part, &self.cursor) {
            wanted.push(format!("{} is null", cursor.of_q()));
        }
        if let Some(after) = &window.after {
            let texts: Vec<&String> = after.cursor.iter().chain(&after.key).collect();
            wanted.push(not_before(&order, &texts)?);
        } else if let (Some(cursor), Some(from)) = (cursor, &window.from) {
            wanted.push(self.not_older(cursor, from)?);
        } else if let Some(cursor) = cursor {
            wanted.push(format!("{} is not null", cursor.of_q()));
        }
        if let (Some(cursor), Some(to)) = (cursor, &window.to) {
            wanted.push(format!("{} <= {}", cursor.ordered(), cursor.literal(to)?));
        }
        if window.part == WindowPart::OfKeys {
            wanted.extend(self.of_keys(window)?);
        }
        let selected: Vec<String> =
            self.columns.iter().chain(order.iter().copied()).map(MySqlColumn::selected).collect();
        let condition = match wanted.is_empty() {
            true => String::new(),
            false => format!(" where {}", wanted.join(" and ")),
        };
        let by: Vec<String> = order.iter().map(|column| column.ordered()).collect();
        Ok(Some(format!(
            "select {} from {}{condition} order by {}",
            selected.join(", "),
            self.from(),
            by.join(", ")
        )))
    }
}

impl MySqlRelation {
    /// The conditions for the rows of some keys.
    fn of_keys(&self, window: &RowWindow) -> Result<Vec<String>> {
        let tuple = |key: &Vec<String>| {
            let literals = self.key.iter().zip(key);
            let literals = literals.map(|(column, text)| column.literal(text));
            Ok(format!("({})", literals.collect::<Result<Vec<_>>>()?.join(", ")))
        };
        let keys = window.keys.iter().map(tuple).collect::<Result<Vec<_>>>()?;
        let names: Vec<String> = self.key.iter().map(MySqlColumn::ordered).collect();
        let mut wanted = vec![format!("({}) in ({})", names.join(", "), keys.join(", "))];
        if let (Some(cursor), Some(from)) = (&self.cursor, &window.from) {
            let not_older = self.not_older(cursor, from)?;
            wanted.push(format!("({} is null or {not_older})", cursor.of_q()));
        }
        Ok(wanted)
    }

    fn not_older(&self, cursor: &MySqlColumn, from: &str) -> Result<String> {
        let mut least = cursor.literal(from)?;
        if let Some(lag) = &self.lag {
            least = cursor.less(&least, lag)?;
        }
        Ok(format!("{} >= {least}", cursor.ordered()))
    }
}

/// `(a, b) >= (x, y)`, written so that an index is used.
fn not_before(columns: &[&MySqlColumn], texts: &[&String]) -> Result<String> {
    let ([column, columns @ ..], [text, texts @ ..]) = (columns, texts) else {
        return Ok("true".to_owned());
    };
    let (name, value) = (column.ordered(), column.literal(text)?);
    if columns.is_empty() {
        return Ok(format!("{name} >= {value}"));
    }
    Ok(format!("{name} >= {value} and ({name} > {value} or ({}))", not_before(columns, texts)?))
}

async fn primary_key(connection: &mut Conn, table: &str) -> mysql_async::Result<Vec<String>> {
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (text(schema), name),
        None => ("database()".to_owned(), table),
    };
    let sql = format!(
        "select column_name from information_schema.key_column_usage
         where constraint_name = 'PRIMARY' and table_schema = {schema} and table_name = {} order by ordinal_position",
        text(name)
    );
    connection.query(sql).await
}

fn text(value: &str) -> String {
    format!("convert(x'{}' using utf8mb4)", hex::encode(value))
}
