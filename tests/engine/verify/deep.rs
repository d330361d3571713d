//! What the look at every row takes into account.

use crate::engine::statements::hashing;
use crate::engine::{Hand, items};
use crate::support::{TestDb, db::rows};

const HASHES: &str = "select is_ok, detail from sluice.verify('items', deep => true) where check_name = 'row hashes'";
const COUNT: &str =
    "select is_ok, detail from sluice.verify('items', deep => true) where check_name = 'row count'";

async fn names(table: &str) -> TestDb {
    let db = TestDb::new().await;
    let select = "(doc->>'id')::bigint, doc->>'name'";
    items(&db, table, "id bigint, name text", select, "key => '{id}'").await;
    db
}

async fn shop() -> TestDb {
    let db = names("id bigint primary key, name text").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "name": "A"}"#, r#"{"id": 2, "name": "B"}"#]).await;
    db
}

#[tokio::test]
async fn settings_of_the_session_make_no_row_look_edited() {
    let db = hashing::wide().await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    for hostile in hashing::HOSTILE {
        let session = db.connect().await;
        session.batch_execute(hostile).await.unwrap();
        assert_eq!(
            rows(&session, HASHES).await,
            ["t|rows: 1, none was edited behind the tool's back"],
            "{hostile}"
        );
    }
}

#[tokio::test]
async fn each_row_is_held_to_the_version_that_wrote_it() {
    let db = shop().await;
    db.execute(
        "alter table shop.items add price numeric(9, 2);
         create function shop.items_v2(doc jsonb) returns table (id bigint, price numeric) language sql stable as $$ select (doc->>'id')::bigint, 1.5 $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    Hand::start(&db).await.load(&[r#"{"id": 2}"#, r#"{"id": 3}"#]).await;
    assert_eq!(db.value(HASHES).await, "t|rows: 3, none was edited behind the tool's back");
    // Version 2 does not return the name, version 1 not the price.
    db.execute("update shop.items set name = 'x' where id > 1; update shop.items set price = 7 where id = 1")
        .await;
    assert_eq!(db.value(HASHES).await, "t|rows: 3, none was edited behind the tool's back");
    db.execute("update shop.items set price = 7 where id = 3").await;
    assert_eq!(
        db.value(HASHES).await,
        "f|1 of 3 rows were edited behind the tool's back: {\"id\": 3}"
    );
    db.execute("alter table shop.items drop column price").await;
    assert_eq!(
        db.value(HASHES).await,
        "-|rows: 1, none was edited behind the tool's back; not checked: 2 rows of version 2: shop.items has no column price"
    );
}

#[tokio::test]
async fn a_snapshot_marks_rows_whichever_version_wrote_them() {
    let db = shop().await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'));
         insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, version, started_at) values (77, 1, 2, 'snapshot', 2, now());
         update shop.items set sluice_batch = 77",
    )
    .await;
    assert_eq!(db.value(HASHES).await, "t|rows: 2, none was edited behind the tool's back");
    db.execute("update shop.items set name = 'x' where id = 1").await;
    assert_eq!(
        db.value(HASHES).await,
        "f|1 of 2 rows were edited behind the tool's back: {\"id\": 1}"
    );
}

#[tokio::test]
async fn rows_without_a_hash_are_told_apart() {
    let db = shop().await;
    db.execute("update shop.items set sluice_hash = null where id = 1").await;
    assert_eq!(
        db.value(HASHES).await,
        "t|rows: 1, none was edited behind the tool's back; 1 without a hash, written anew when they come again"
    );
}

#[tokio::test]
async fn triggers_and_cascades_are_named_as_a_possible_cause() {
    let db = names("id bigint primary key, name text, parent bigint constraint items_parent references shop.items on delete set null, twice bigint generated always as (id * 2) stored").await;
    db.execute(
        "create function shop.tidy() returns trigger language plpgsql as $$ begin new.name := lower(new.name); return new; end $$;
         create trigger tidy before insert or update on shop.items for each row execute function shop.tidy()",
    )
    .await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "name": "A"}"#, r#"{"id": 2, "name": "b"}"#]).await;
    assert_eq!(
        db.value(HASHES).await,
        "f|1 of 2 rows were edited behind the tool's back: {\"id\": 1}; or by constraint items_parent, generated column twice, trigger tidy"
    );
}

#[tokio::test]
async fn of_a_target_of_several_pipelines_each_answers_for_its_own_rows() {
    let db = shop().await;
    db.execute("select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))")
        .await;
    Hand::of(db.connect().await, "other")
        .await
        .load(&[r#"{"id": 2, "name": "C"}"#, r#"{"id": 3, "name": "D"}"#])
        .await;
    db.execute("update shop.items set name = 'x' where id = 3").await;
    assert_eq!(
        db.rows("select pipeline_name, is_ok, detail from sluice.verify(deep => true) where check_name like 'row %'")
            .await,
        [
            "items|t|rows: 3, inserted less deleted: 3",
            "items|t|rows: 1, none was edited behind the tool's back",
            "other|t|rows: 3, inserted less deleted: 3",
            "other|f|1 of 2 rows were edited behind the tool's back: {\"id\": 3}",
        ]
    );
}

#[tokio::test]
async fn rows_are_not_counted_where_others_may_delete() {
    let db = shop().await;
    db.execute("delete from shop.items where id = 1").await;
    assert_eq!(
        db.value(COUNT).await,
        "f|rows: 1, inserted less deleted: 2; the others were deleted behind the tool's back (sluice reconcile)"
    );
    db.execute("grant delete on shop.items to public").await;
    assert_eq!(db.value(COUNT).await, "-|not checked: public may delete, too");
    db.execute(
        "revoke delete on shop.items from public;
         alter table shop.items add parent bigint constraint items_parent references shop.items on delete cascade",
    )
    .await;
    assert_eq!(
        db.value(COUNT).await,
        "-|not checked: deletes cascade into it by constraint items_parent"
    );
}

#[tokio::test]
async fn rows_that_stood_there_before_the_pipeline_are_no_surplus() {
    let db = names("id bigint primary key, name text").await;
    db.execute("insert into shop.items values (1, 'old'), (2, 'old')").await;
    Hand::start(&db)
        .await
        .load(&[r#"{"id": 1, "name": "new"}"#, r#"{"id": 3, "name": "new"}"#])
        .await;
    assert_eq!(
        db.value(COUNT).await,
        "t|rows: 2, inserted less deleted: 1; the others stood there before and were updated"
    );
}

#[tokio::test]
async fn key_that_is_written_otherwise_makes_no_row_look_edited() {
    let db = TestDb::new().await;
    db.execute("create extension citext; create collation public.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        .await;
    items(
        &db,
        "code public.citext, n numeric, f double precision, word text collate public.folded, id bigint generated always as identity,
         note text, primary key (code, n, f, word)",
        "code text, n numeric, f double precision, word text, note text",
        "doc->>'code', (doc->>'n')::numeric, (doc->>'f')::double precision, doc->>'word', doc->>'note'",
        "key => '{code,n,f,word}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"code": "Kiel", "n": 1, "f": 0, "word": "Ei", "note": "a"}"#]).await;
    let otherwise = r#"{"code": "KIEL", "n": 1.000, "f": "-0", "word": "EI", "note": "b"}"#;
    assert_eq!(hand.load(&[otherwise]).await, "extracted=1 transformed=1 produced=1 updated=1");
    assert_eq!(
        db.rows("select code, n, f, word, note from shop.items").await,
        ["KIEL|1.000|-0|EI|b"]
    );
    assert_eq!(db.rows(HASHES).await, ["t|rows: 1, none was edited behind the tool's back"]);
    assert_eq!(hand.load(&[otherwise]).await, "extracted=1 transformed=1 produced=1 unchanged=1");
}
