//! Passing over what cannot be read.

use crate::engine::{Hand, items_of_ids, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
    let db = items_of_ids().await;
    db.execute("update sluice.pipelines set source = sluice.file_source('drop')").await;
    db
}

async fn load(hand: &mut Hand, cursor: &str, objects: &str) {
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    hand.session
        .query_one(
            &format!("select 1 from sluice.load_batch($1, $2, $3, '{cursor}', '{objects}')"),
            &[&hand.run, &hand.epoch, &(hand.seq + 1)],
        )
        .await
        .unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
}

const OBJECTS: &str =
    "select object, identity, position, is_done from sluice.source_state('items') order by 1";

const HALF: &str = r#"[{"object": "drop/a.csv", "identity": {"size": 9}, "position": {"bytes": 5, "records": 2, "line": 3}, "is_done": false}]"#;

#[tokio::test]
async fn file_is_done_where_it_stood_and_the_reason_is_in_the_ledger() {
    let db = shop().await;
    load(&mut Hand::start(&db).await, r#"{"at": 1}"#, HALF).await;
    let said =
        db.value("select sluice.skip('items', object => 'drop/a.csv', reason => 'damaged')").await;
    assert_eq!(
        said,
        "pipeline items skips drop/a.csv; what was read of it stays, and what replaces it is read"
    );
    assert_eq!(
        db.rows(OBJECTS).await,
        [r#"drop/a.csv|{}|{"bytes": 5, "records": 2, "skipped": true}|t"#]
    );
    assert_eq!(
        db.value("select batch_seq, cursor_before = cursor_after, note, extracted, recorded_by = session_user from sluice.batches where kind = 'skip'").await,
        "2|t|damaged|0|t"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn file_never_seen_is_noted_and_the_words_say_so() {
    let db = shop().await;
    let said =
        db.value("select sluice.skip('items', object => 'drop/b.csv', reason => 'damaged')").await;
    assert!(said.contains("which it has not read yet"), "{said}");
    assert_eq!(db.rows(OBJECTS).await, [r#"drop/b.csv|{}|{"skipped": true}|t"#]);
    db.is_sound().await;
}

#[tokio::test]
async fn skip_deposes_the_run_in_progress() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    db.execute("select sluice.skip('items', object => 'drop/b.csv', reason => 'damaged')").await;
    hand.fail(&[r#"{"id": 2}"#]).await.is("SL001", "was moved by hand");
}

#[tokio::test]
async fn rewind_goes_by_the_ledger_before_and_behind_a_skip() {
    let db = shop().await;
    load(&mut Hand::start(&db).await, r#"{"at": 1}"#, HALF).await;
    db.execute("select sluice.skip('items', object => 'drop/a.csv', reason => 'damaged')").await;
    load(&mut Hand::start(&db).await, r#"{"at": 2}"#, "[]").await;
    let batch = |kind: &str, last: &str| {
        format!("(select {last}(batch_id) from sluice.batches where kind = '{kind}')")
    };
    let rewind = async |goal: String| {
        db.execute(&format!("select sluice.rewind('items', {goal})")).await;
        db.rows("select object, position ? 'skipped', is_done from sluice.source_state('items')")
            .await
    };
    let to = |batch: String| format!("to_batch => {batch}");
    assert_eq!(rewind(to(batch("load", "min"))).await, ["drop/a.csv|f|f"]);
    assert_eq!(rewind(to(batch("load", "max"))).await, ["drop/a.csv|t|t"]);
    assert_eq!(rewind(to(batch("skip", "max"))).await, ["drop/a.csv|t|t"]);
    assert_eq!(
        rewind("object => 'drop/a.csv'".to_owned()).await,
        Vec::<String>::new(),
        "which takes the skip back"
    );
    assert_eq!(rewind("to_start => true".to_owned()).await, Vec::<String>::new());
    db.is_sound().await;
}

const PAGES: &str = "sluice.http_source(url => 'https://shop.example/', paging => sluice.page_number_paging(size_param => 'n', size => 10))";
const OFFSETS: &str = "sluice.http_source(url => 'https://shop.example/', paging => sluice.offset_paging(param => 'o', size_param => 'n', size => 10))";

#[tokio::test]
async fn pages_move_the_cursor_past_the_page_in_hand() {
    for (source, before, pages, after) in [
        (
            PAGES,
            r#"{"next": {"page": 3}, "skip": 4, "of_page": "ab", "pages": 2, "records": 20, "began": "x", "settings": "s"}"#,
            1,
            r#"{"next": {"page": 4}, "began": "x", "pages": 3, "records": 30, "settings": "s"}"#,
        ),
        (
            OFFSETS,
            r#"{"next": {"offset": 20}, "pages": 2, "records": 20, "began": "x", "settings": "s"}"#,
            2,
            r#"{"next": {"offset": 40}, "began": "x", "pages": 4, "records": 40, "settings": "s"}"#,
        ),
        (
            PAGES,
            r#"{"done": true, "mark": "m"}"#,
            2,
            r#"{"done": true, "mark": "m", "skip_pages": 2}"#,
        ),
        (PAGES, "", 1, r#"{"done": false, "skip_pages": 1}"#),
    ] {
        let db = shop().await;
        db.execute(&format!("update sluice.pipelines set source = {source}")).await;
        if !before.is_empty() {
            load(&mut Hand::start(&db).await, before, "[]").await;
        }
        db.execute(&format!("select sluice.skip('items', pages => {pages}, reason => 'broken')"))
            .await;
        assert_eq!(db.value("select cursor from sluice.etl_state").await, after);
        assert_eq!(
            db.value(
                "select kind, cursor_after, note from sluice.batches order by batch_id desc limit 1"
            )
            .await,
            format!("skip|{after}|broken")
        );
        db.is_sound().await;
    }
}

#[tokio::test]
async fn what_cannot_be_skipped_is_refused() {
    let db = shop().await;
    let token =
        r#"{"next": {"token": "t7"}, "pages": 2, "records": 20, "began": "x", "settings": "s"}"#;
    load(&mut Hand::start(&db).await, token, "[]").await;
    let tokens = "sluice.http_source(url => 'https://shop.example/', paging => sluice.cursor_paging(param => 'a', next => '/n'))";
    let one_page = "sluice.http_source(url => 'https://shop.example/')";
    let files = "sluice.file_source('drop')";
    let objects = "sluice.object_source('s3://lake/in/')";
    for (source, call, message, hint) in [
        (files, "object => 'a', reason => ' '", "skip needs a reason", "reason =>"),
        (files, "reason => 'x'", "skip needs one thing", "pages => 1"),
        (files, "object => 'a', pages => 1, reason => 'x'", "skip needs one thing", "pages => 1"),
        (files, "pages => 1, reason => 'x'", "has no pages", "object =>"),
        (files, "object => 's3://lake/a', reason => 'x'", "cannot be the name of a file", "drop"),
        (files, "object => '-', reason => 'x'", "cannot be the name of a file", "drop"),
        (
            objects,
            "object => 'in/a.csv', reason => 'x'",
            "cannot be the name of an object",
            "s3://lake/in/",
        ),
        (PAGES, "object => 'a', reason => 'x'", "has no files or objects", "pages => 1"),
        (PAGES, "pages => 0, reason => 'x'", "pages 0 is not positive", "pages => 1"),
        (
            PAGES,
            "pages => 1, reason => 'x'",
            "its source was defined anew in the middle of a sweep",
            "run it once",
        ),
        (
            one_page,
            "pages => 1, reason => 'x'",
            "with a single page, only the page itself can tell",
            "what the source has",
        ),
        (
            tokens,
            "pages => 1, reason => 'x'",
            "with cursor paging, only the page itself can tell",
            "what the source has",
        ),
    ] {
        db.execute(&format!("update sluice.pipelines set source = {source}")).await;
        problem(&db, &format!("select sluice.skip('items', {call})")).await.refuses(message, hint);
    }
    let shown = problem(&db, "select sluice.skip('items', pages => 1, reason => 'x')").await;
    assert!(shown.detail.contains(r#"{"token": "t7"}"#), "{shown:?}");
}

#[tokio::test]
async fn finished_backfill_has_no_page_in_hand() {
    let db = shop().await;
    db.execute(
        "update sluice.pipelines set source = sluice.http_source(url => 'https://shop.example/', paging => sluice.page_number_paging(),
           since => sluice.since(param => 'since', field => '/at'));
         select sluice.start_backfill('items', from_mark => '2026-01-01')",
    )
    .await;
    db.execute("select sluice.skip('items.backfill-1', pages => 1, reason => 'x')").await;
    let mut past = Hand::of(db.connect().await, "items.backfill-1").await;
    load(&mut past, r#"{"done": true}"#, "[]").await;
    problem(&db, "select sluice.skip('items.backfill-1', pages => 1, reason => 'x')")
        .await
        .refuses("has come to its end", "sluice.backfills");
}
