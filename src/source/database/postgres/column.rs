//! Columns that rows are ordered by, and their values in statements.

use tokio_postgres::types::{ToSql, Type};

use crate::error::{Error, Result};

/// A column by which rows are ordered.
#[derive(Debug)]
pub(super) struct PostgresColumn {
    /// Of the relation `q`.
    pub(super) name: String,
    pub(super) type_name: String,
    /// Texts are ordered by their bytes: the order of a language differs between servers.
    pub(super) is_text: bool,
    /// `pg_type.typcategory`.
    pub(super) category: String,
}

impl PostgresColumn {
    pub(super) fn ordered(&self) -> String {
        match self.is_text {
            true => format!("{} collate \"C\"", self.name),
            false => self.name.clone(),
        }
    }

    /// The parameter `number` as a value of the column.
    pub(super) fn value(&self, number: usize) -> String {
        format!("cast(${number} as {})", self.type_name)
    }

    /// The same, for comparison with another one.
    pub(super) fn ordered_value(&self, number: usize) -> String {
        let value = self.value(number);
        match self.is_text {
            true => format!("{value} collate \"C\""),
            false => value,
        }
    }

    pub(super) fn less(&self, value: &str, lag: &str) -> Result<String> {
        match self.category.as_str() {
            "D" => Ok(format!("{value} - make_interval(secs => {lag})")),
            "N" => Ok(format!("cast({value}::numeric - {lag} as {})", self.type_name)),
            _ => Err(Error::usage(format!(
                "no lag can be taken from the cursor {}: it is of type {}",
                self.name, self.type_name
            ))
            .next("lag goes with dates, timestamps and numbers")),
        }
    }
}

/// Parameters of a statement, all of them text.
pub(super) type Parameters<'a> = Vec<(&'a (dyn ToSql + Sync), Type)>;

pub(super) fn parameters<'a, T: ToSql + Sync + 'a>(
    values: impl IntoIterator<Item = &'a T>,
) -> Parameters<'a> {
    let typed = |value: &'a T| (value as &(dyn ToSql + Sync), Type::TEXT);
    values.into_iter().map(typed).collect()
}
