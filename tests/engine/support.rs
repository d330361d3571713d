//! A batch by hand, and what comes of it.

use crate::support::TestDb;
use pgsluice::db::Session;
use std::fmt::Write as _;

/// What the server had to say.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) detail: String,
    pub(super) hint: String,
}

impl Problem {
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        let error = error.as_db_error().unwrap_or_else(|| panic!("not from the server: {error:?}"));
        Problem {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().unwrap_or_default().to_owned(),
            hint: error.hint().unwrap_or_default().to_owned(),
        }
    }

    /// Insists on an SQLSTATE and a part of the message.
    #[track_caller]
    pub(crate) fn is(&self, code: &str, message: &str) {
        assert!(
            self.code == code && self.message.contains(message),
            "expected {code} {message}, got {self:?}"
        );
    }

    /// A definition that was refused, naming the thing and the way out.
    #[track_caller]
    pub(crate) fn refuses(&self, message: &str, hint: &str) {
        self.is("SL005", message);
        assert!(!self.hint.is_empty() && self.hint.contains(hint), "{self:?}");
    }
}

/// The error of statements that have to fail.
#[track_caller]
pub(crate) fn problem<'a>(db: &'a TestDb, sql: &'a str) -> impl Future<Output = Problem> + use<'a> {
    let place = std::panic::Location::caller();
    async move {
        match db.connect().await.batch_execute(sql).await {
            Ok(()) => panic!("{place}: accepted: {sql}"),
            Err(error) => Problem::of(&error),
        }
    }
}

/// True while some session of the database waits for a target that another one writes to.
pub(super) const WAITS_FOR_TARGET: &str = "select exists (
  select from pg_locks l join pg_database d on d.oid = l.database
  where d.datname = current_database() and l.locktype = 'advisory' and not l.granted
    and l.classid::bigint = sluice._lock_class('target')::bigint)";

/// Creates `shop.items` with a transform and the pipeline `items` that stops for nothing.
pub(super) async fn items(db: &TestDb, table: &str, returns: &str, select: &str, options: &str) {
    db.execute(&items_sql(table, returns, select, options)).await;
}

/// The same in a database of its own, for records that have an id and nothing else.
pub(super) async fn items_of_ids() -> TestDb {
    let db = TestDb::new().await;
    let (table, select) = ("id bigint primary key", "(doc->>'id')::bigint");
    items(&db, table, "id bigint", select, "key => '{id}'").await;
    db
}

/// The same with records of an id and a number `n`, and with these rules besides.
pub(super) async fn numbers(db: &TestDb, rules: &str) {
    let table = format!("id bigint primary key, n integer {rules}");
    let select = "(doc->>'id')::bigint, (doc->>'n')::integer";
    items(db, &table, "id bigint, n integer", select, "key => '{id}'").await;
}

/// The statements of [`items`].
pub(super) fn items_sql(table: &str, returns: &str, select: &str, options: &str) -> String {
    format!(
        "create schema if not exists shop;
         create table shop.items ({table});
         create function shop.items_v1(doc jsonb) returns table ({returns})
         language sql stable as $$ select {select} $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', source => sluice.file_source(path => '-'),
           max_bad_ratio => 1, {options});"
    )
}

/// Makes every digest an anchor, so that records seen before are recognised in batches of any size.
pub(super) async fn make_all_digests_anchors(db: &TestDb) {
    db.execute(
        "do $$ begin
           if sluice._anchor_limit() < 'ffffffff-ffff-ffff-ffff-ffffffffffff' then
             create or replace function sluice._anchor_limit() returns uuid language sql immutable
             set search_path = pg_catalog, pg_temp as $f$ select 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid $f$;
           end if;
         end $$",
    )
    .await;
}

/// A loader of one pipeline that is made of a connection and patience.
pub(super) struct Hand {
    pub(super) session: Session,
    pub(super) pipeline: String,
    pub(super) run: i64,
    pub(super) epoch: i64,
    pub(super) seq: i64,
}

impl Hand {
    /// Starts a run of `items`.
    pub(super) async fn start(db: &TestDb) -> Self {
        make_all_digests_anchors(db).await;
        Self::of(db.connect().await, "items").await
    }

    /// Starts a run over a connection of the test's making.
    pub(super) async fn of(session: Session, pipeline: &str) -> Self {
        let row = session
            .query_one(
                "select run_id, epoch, batch_seq from sluice.start_run($1, 'by hand')",
                &[&pipeline],
            )
            .await
            .unwrap();
        Hand {
            session,
            pipeline: pipeline.to_owned(),
            run: row.get(0),
            epoch: row.get(1),
            seq: row.get(2),
        }
    }

    /// Begins a transaction and fills the staging table, digests included.
    pub(super) async fn stage<P: AsRef<str>>(
        &self,
        records: &[P],
    ) -> Result<(), tokio_postgres::Error> {
        self.session.batch_execute("begin").await?;
        self.session
            .query_one("select * from sluice.begin_batch($1, $2)", &[&self.pipeline, &self.run])
            .await?;
        let records: Vec<&str> = records.iter().map(AsRef::as_ref).collect();
        self.session
            .execute(
                "insert into pg_temp.sluice_staging (ordinal, position, payload, digest)
                 select n - 1, n, r, pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(r, 'UTF8')), 1, 16), 'hex')::pg_catalog.uuid from unnest($1::pg_catalog.text[]) with ordinality as r (r, n)",
                &[&records],
            )
            .await?;
        Ok(())
    }

    pub(super) async fn transform(&self) -> Result<(), tokio_postgres::Error> {
        self.session
            .query_one(
                r#"select * from sluice.transform_batch('[{"first_ordinal": 0, "origin": "hand"}]')"#,
                &[],
            )
            .await?;
        Ok(())
    }

    /// `load_batch`, without a commit: its counters that are not zero.
    pub(super) async fn merge(&self) -> Result<String, tokio_postgres::Error> {
        let row = self
            .session
            .query_one(
                "select * from sluice.load_batch($1, $2, $3, jsonb_build_object('batch', $3::bigint))",
                &[&self.run, &self.epoch, &(self.seq + 1)],
            )
            .await?;
        let mut books = String::new();
        for name in COUNTERS {
            let count: i64 = row.get(name);
            if count != 0 {
                let _ = write!(books, "{name}={count} ");
            }
        }
        Ok(books.trim_end().to_owned())
    }

    /// A whole batch, committed; or its error, with nothing of it left.
    pub(super) async fn try_load<P: AsRef<str>>(
        &mut self,
        records: &[P],
    ) -> Result<String, Problem> {
        let result = async {
            self.stage(records).await?;
            self.transform().await?;
            let books = self.merge().await?;
            self.session.batch_execute("commit").await?;
            Ok(books)
        }
        .await;
        match result {
            Ok(books) => {
                self.seq += 1;
                Ok(books)
            }
            Err(error) => {
                self.session.batch_execute("rollback").await.unwrap();
                Err(Problem::of(&error))
            }
        }
    }

    /// A whole batch that has to commit.
    pub(super) async fn load<P: AsRef<str>>(&mut self, records: &[P]) -> String {
        self.try_load(records).await.unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    /// A whole batch that has to fail.
    pub(super) async fn fail<P: AsRef<str>>(&mut self, records: &[P]) -> Problem {
        match self.try_load(records).await {
            Ok(books) => panic!("committed: {books}"),
            Err(problem) => problem,
        }
    }
}

const COUNTERS: [&str; 11] = [
    "extracted",
    "transformed",
    "filtered",
    "quarantined",
    "produced",
    "inserted",
    "updated",
    "deleted",
    "unchanged",
    "stale",
    "superseded",
];
