//! Files that were read long ago are forgotten where the source lists them no more, and never loaded twice.

use crate::engine::problem;
use crate::support::{Sluice, TestDb};

const BROKEN: &str =
    "select check_name, detail from sluice.verify(deep => true) where is_ok is not true";
const KNOWN: &str =
    "select right(object, 8) from sluice.source_objects order by object collate \"C\"";
const OBJECTS: &str = "select objects from sluice.prune('items') where objects is not null";

struct Drop {
    db: TestDb,
    folder: tempfile::TempDir,
    is_store: bool,
}

impl Drop {
    /// Three files of long ago and one of today, all of them read.
    async fn aged() -> Self {
        Self::aged_in(false).await
    }

    /// `is_store`: read as objects.
    async fn aged_in(is_store: bool) -> Self {
        let drop = Drop { db: TestDb::new().await, folder: tempfile::tempdir().unwrap(), is_store };
        drop.db
            .execute(
                "create schema shop; create table shop.items (id bigint primary key, n integer);
                 create function shop.items_v1(doc jsonb) returns table (id bigint, n integer) language sql stable as
                 $$ select (doc->>'id')::bigint, (doc->>'n')::integer $$",
            )
            .await;
        drop.db.execute(&drop.definition("null")).await;
        for day in 1..=3 {
            drop.put(day);
            drop.runs("inserted=1");
        }
        drop.db
            .execute(
                "update sluice.batches set started_at = started_at - interval '2 years', committed_at = committed_at - interval '2 years';
                 update sluice.runs set started_at = started_at - interval '2 years', finished_at = finished_at - interval '2 years';
                 update sluice.source_objects set updated_at = updated_at - interval '2 years'",
            )
            .await;
        drop.put(4);
        drop.runs("inserted=1");
        drop
    }

    fn put(&self, day: u32) {
        let path = self.folder.path().join(format!("{day}.ndjson"));
        std::fs::write(path, format!("{{\"id\": {day}, \"n\": 1}}\n")).unwrap();
    }

    fn name(&self, day: u32) -> String {
        format!("{}{day}.ndjson", self.address())
    }

    fn address(&self) -> String {
        let scheme = if self.is_store { "file://" } else { "" };
        format!("{scheme}{}/", self.folder.path().display())
    }

    fn definition(&self, after: &str) -> String {
        let source = match self.is_store {
            true => format!("object_source(url => '{}'", self.address()),
            false => format!("file_source(path => '{}', settle_seconds => 0", self.address()),
        };
        format!(
            "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
               target => 'shop.items', key => '{{id}}', retain_history => '1 year',
               source => sluice.{source}, after => {after}))"
        )
    }

    fn after(&self, day: u32) -> String {
        self.definition(&format!("'{}'", self.name(day)))
    }

    fn runs(&self, books: &str) -> String {
        let run = Sluice::on(&self.db).args(["run", "items", "--allow-files", "*"]).run().exits(0);
        assert!(run.stdout.contains(books), "{books}: {}", run.stdout);
        run.stderr
    }
}

#[tokio::test]
async fn only_files_that_are_old_and_not_listed_any_more_are_forgotten() {
    for is_store in [false, true] {
        let drop = Drop::aged_in(is_store).await;
        let db = &drop.db;
        // The run has pruned what it might: no file, as all are listed.
        assert_eq!(db.rows(OBJECTS).await, [""; 0]);
        assert_eq!(db.rows(KNOWN).await.len(), 4);
        db.execute(&drop.after(2)).await;
        assert_eq!(
            db.rows("select objects from sluice.prune('items', dry_run => true)").await,
            ["2"]
        );
        assert_eq!(db.rows(OBJECTS).await, ["2"]);
        assert_eq!(db.rows(OBJECTS).await, [""; 0]);
        assert_eq!(db.rows(KNOWN).await, ["3.ndjson", "4.ndjson"]);
        assert_eq!(db.rows(BROKEN).await, [""; 0]);
        // They are there, and are not read once more: said aloud.
        db.execute("update shop.items set sluice_hash = null").await;
        let said = drop.runs("extracted=0");
        assert!(said.contains("not behind `after`: 2, such as"), "{said}");
        // The last one of today stays, however far the source is set.
        db.execute(&drop.after(4)).await;
        assert_eq!(db.rows(OBJECTS).await, ["1"]);
        assert_eq!(db.rows(KNOWN).await, ["4.ndjson"]);
        drop.put(5);
        drop.runs("inserted=1");
        assert_eq!(db.rows(BROKEN).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_source_never_lists_again_what_is_forgotten_but_for_a_backfill() {
    let drop = Drop::aged().await;
    let db = &drop.db;
    db.execute(&drop.after(2)).await;
    assert_eq!(db.rows(OBJECTS).await, ["2"]);
    for again in [drop.definition("null"), drop.after(1)] {
        problem(db, &again).await.refuses("was read, and pruned", &drop.name(2));
    }
    drop.runs("extracted=0");
    db.execute("delete from shop.items where id = 1").await;
    Sluice::on(db)
        .args(["backfill", "items", "--objects", &drop.name(1), "--allow-files", "*"])
        .run()
        .exits(0);
    assert_eq!(db.value("select count(*) from shop.items").await, "4");
}

#[tokio::test]
async fn a_name_that_is_none_of_the_source_is_refused_by_the_run_and_prunes_nothing() {
    let drop = Drop::aged().await;
    let db = &drop.db;
    db.execute(&drop.definition("'zzz'")).await;
    assert_eq!(db.rows(OBJECTS).await, [""; 0]);
    let run = Sluice::on(db).args(["run", "items", "--allow-files", "*"]).run().exits(2);
    assert!(run.stderr.contains("setting `after` cannot be `zzz`"), "{}", run.stderr);
}
