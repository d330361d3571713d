//! PostgreSQL as a source. The server writes the records: no value passes through a type of ours.

mod column;
mod horizon;
mod lookup;
mod range;
mod relation;

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Row};

use self::column::parameters;
use self::relation::PostgresRelation;
use super::cursor::Marks;
use super::fetch::{self, RowWindow, WindowPart};
use super::row_sender::{JsonRow, RowSender};
use super::settings::DatabaseSettings;
use crate::db::{Connector, Session};
use crate::error::{Error, Result};
use crate::source::{Declared, SourceContext};

/// Texts of values are the same whatever the server, the database and the role have set, and only the
/// settings of the source end a statement.
const PINS: &str = "
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local intervalstyle = 'iso_8601';
    set local bytea_output = 'hex';
    set local extra_float_digits = 1;
    set local xmlbinary = 'base64';
    set local standard_conforming_strings = on;
    set local search_path = public;
    set local lock_timeout = 0;";

pub(super) struct Postgres {
    connector: Connector,
    settings: DatabaseSettings,
    pins: String,
}

/// A connection inside of a transaction.
pub(super) struct PostgresSession {
    session: Session,
    relation: PostgresRelation,
}

impl Postgres {
    pub(super) fn new(settings: &DatabaseSettings, context: &SourceContext) -> Result<Self> {
        let location = settings.secret_location()?;
        let row_security = if settings.row_security { "on" } else { "off" };
        Ok(Postgres {
            connector: Connector::to_named(
                &location,
                "source",
                &context.host,
                &context.secrets,
                "sluice source",
            )?,
            settings: settings.clone(),
            pins: format!(
                "{PINS} set local row_security = {row_security}; set local statement_timeout = {};
                 select set_config(name, '0', true) from pg_settings
                 where name in ('idle_in_transaction_session_timeout', 'transaction_timeout');
                 select set_config('client_encoding', 'SQL_ASCII', true) where current_setting('server_encoding') = 'SQL_ASCII'",
                settings.statement_timeout().as_millis()
            ),
        })
    }
}

impl fetch::Server for Postgres {
    type Session = PostgresSession;

    async fn open(&self, known: Option<&Marks>) -> Result<(PostgresSession, Option<Marks>)> {
        let session = self.connector.connect().await?;
        let opened = self.connector.while_alive(self.begin(&session, known)).await?;
        let (relation, marks) = opened.map_err(|error| self.explain(error))?;
        Ok((PostgresSession { session, relation }, marks))
    }

    async fn declared(&self, reading: &mut PostgresSession) -> Result<Declared> {
        let asked = reading.relation.declared(&reading.session);
        let told = self.connector.while_alive(asked).await?;
        told.map_err(|error| self.explain(error))
    }

    async fn read(
        &self,
        reading: &mut PostgresSession,
        window: &RowWindow,
        out: &mut RowSender,
    ) -> Result<()> {
        let done = self.put_out(reading, window, out).await;
        done.map_err(|error| self.explain(error))
    }
}

impl Postgres {
    async fn begin(
        &self,
        client: &Client,
        known: Option<&Marks>,
    ) -> Result<(PostgresRelation, Option<Marks>)> {
        let begin = async |level: &str| {
            let sql = format!("begin isolation level {level}, read only; {}", self.pins);
            client.batch_execute(&sql).await
        };
        begin("read committed").await?;
        let relation = PostgresRelation::find(client, &self.settings).await?;
        let marks = match known {
            Some(known) => {
                let has_lag = self.settings.lag().is_some();
                Some(horizon::marks(client, &relation, known, has_lag).await?)
            }
            None => None,
        };
        client.batch_execute("commit").await?;
        begin("repeatable read").await?;
        Ok((relation, marks))
    }

    async fn put_out(
        &self,
        reading: &PostgresSession,
        window: &RowWindow,
        out: &mut RowSender,
    ) -> Result<()> {
        let Some((sql, values)) = reading.relation.statement(window)? else {
            return Ok(());
        };
        out.set_names(&reading.relation.names).await?;
        let has_cursor = usize::from(window.part == WindowPart::WithCursor);
        let asked = reading.session.query_typed_raw(&sql, parameters(&values));
        let mut rows = pin!(self.connector.while_alive(asked).await??);
        while let Some(row) = self.connector.while_alive(rows.try_next()).await?? {
            let text = |index| row.try_get::<_, Option<String>>(index);
            let cursor = if has_cursor == 1 { text(1)? } else { None };
            let key = (1 + has_cursor..row.len()).map(text).collect::<Result<_, _>>()?;
            out.push(record(&row)?, cursor, key).await?;
        }
        Ok(())
    }

    /// What went wrong, and what to do about what is peculiar to sources.
    fn explain(&self, error: Error) -> Error {
        let step = match error.sqlstate() {
            Some("57014") if self.settings.statement_timeout().is_zero() => None,
            Some("57014") => Some("raise statement_timeout of the source"),
            Some("42501")
                if !self.settings.row_security && error.routine() == Some("check_enable_rls") =>
            {
                Some(
                    "the role would see only some of the rows: give it BYPASSRLS, or say row_security => true if that is meant",
                )
            }
            Some("42501") => {
                Some("grant select on what the source names to its role, and usage on the schema")
            }
            Some("42883") if error.routine() == Some("get_sort_group_operators") => {
                Some("name columns that have an order as cursor and key")
            }
            Some("22007" | "22008" | "22P02" | "22003") => Some(
                "a value of the query cannot be computed, or a mark is none of the cursor's: begin anew with `sluice rewind PIPELINE --to-start` if the column has another type than before",
            ),
            _ => None,
        };
        let error = error.context(&format!("source {}", self.settings.origin()));
        match step {
            Some(step) => error.next(step),
            None => error,
        }
    }
}

/// What the server has written. Without an encoding the bytes may be anything.
fn record(row: &Row) -> Result<JsonRow> {
    struct RawBytes(Vec<u8>);
    impl<'a> FromSql<'a> for RawBytes {
        fn from_sql(
            _: &Type,
            raw: &'a [u8],
        ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
            Ok(RawBytes(raw.to_vec()))
        }

        fn accepts(_: &Type) -> bool {
            true
        }
    }
    Ok(JsonRow { payload: row.try_get::<_, RawBytes>(0)?.0, values: Vec::new() })
}
