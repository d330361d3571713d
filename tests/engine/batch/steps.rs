//! A batch is opened, transformed, loaded: each once, in this order, in one table.

use crate::engine::{Hand, Problem, numbers};
use crate::support::TestDb;

const TRANSFORM: &str = "select * from sluice.transform_batch()";

async fn shop() -> (TestDb, Hand) {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

async fn refused(hand: &Hand, sql: &str) -> Problem {
    Problem::of(&hand.session.batch_execute(sql).await.unwrap_err())
}

#[tokio::test]
async fn steps_out_of_order_are_refused_with_the_step_that_comes_next() {
    let (db, hand) = shop().await;
    let load = |seq: i64| {
        format!("select * from sluice.load_batch({}, {}, {seq}, '{{}}')", hand.run, hand.epoch)
    };
    let begin = format!("begin; select from sluice.begin_batch('items', {})", hand.run);
    for (steps, message, next) in [
        (vec![load(1)], "no batch is open", "begin_batch"),
        (vec![TRANSFORM.into()], "no batch is open", "begin_batch"),
        (vec![begin.clone(), load(1)], "has not been transformed", "transform_batch"),
        (
            vec![begin.clone(), TRANSFORM.into(), TRANSFORM.into()],
            "transformed already",
            "load_batch",
        ),
        (vec![begin.clone(), TRANSFORM.into(), load(1), load(2)], "loaded already", "commit"),
        (
            vec![begin.clone(), TRANSFORM.into(), load(1), TRANSFORM.into()],
            "loaded already",
            "commit",
        ),
        // The tables are there, and empty.
        (vec!["begin".into(), load(1)], "no batch is open", "begin_batch"),
    ] {
        let (last, before) = steps.split_last().unwrap();
        for step in before {
            hand.session.batch_execute(step).await.unwrap();
        }
        let problem = refused(&hand, last).await;
        problem.is("SL002", message);
        assert!(problem.hint.contains(next), "{steps:?}: {problem:?}");
        hand.session.batch_execute("rollback").await.unwrap();
        hand.session
            .batch_execute("begin; select from sluice.begin_batch('items'); commit")
            .await
            .unwrap();
    }
    assert_eq!(db.value("select count(*) from sluice.batches").await, "0");
}

/// Statements name the target. What has the name now is another table, and not the one that was locked.
#[tokio::test]
async fn target_swapped_while_a_batch_is_open_repeats_the_batch() {
    let (db, mut hand) = shop().await;
    for swap in [
        "alter table shop.items rename to items_old;
         create table shop.items (like shop.items_old including all);",
        "drop table shop.items_old; alter table shop.items rename to items_old;",
    ] {
        hand.stage(&[r#"{"id": 1, "n": 1}"#]).await.unwrap();
        hand.transform().await.unwrap();
        db.execute(swap).await;
        let problem = Problem::of(&hand.merge().await.unwrap_err());
        problem.is("40001", "shop.items");
        hand.session.batch_execute("rollback").await.unwrap();
    }
    db.execute("alter table shop.items_old rename to items").await;
    assert_eq!(
        hand.load(&[r#"{"id": 1, "n": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 inserted=1"
    );
}

/// What a batch waits for first is its place in the sequence, not the table that others may need.
#[tokio::test]
async fn batch_that_waits_for_the_state_holds_no_lock_on_the_target() {
    let (db, hand) = shop().await;
    let other = db.connect().await;
    other.batch_execute("begin; select from sluice.etl_state for update").await.unwrap();
    hand.stage(&[r#"{"id": 1, "n": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    let (loaded, ()) = tokio::join!(hand.merge(), async {
        db.wait_until("select count(*) = 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%load_batch%' and datname = current_database()")
            .await;
        assert_eq!(
            db.value("select count(*) from pg_locks where locktype = 'advisory' and classid = sluice._lock_class('target')")
                .await,
            "0"
        );
        other.batch_execute("rollback").await.unwrap();
    });
    assert_eq!(loaded.unwrap(), "extracted=1 transformed=1 produced=1 inserted=1");
}

/// The compare-and-set by itself: the lock keeps others away, not the transaction's own triggers.
#[tokio::test]
async fn state_that_moved_under_the_lock_deposes_the_batch() {
    let (db, mut hand) = shop().await;
    db.execute(
        "create function shop.meddle() returns trigger language plpgsql as $$ begin
           update sluice.etl_state set epoch = epoch + 1;
           return null;
         end $$;
         create trigger meddle after insert on shop.items execute function shop.meddle()",
    )
    .await;
    hand.fail(&[r#"{"id": 1, "n": 1}"#]).await.is("SL001", "moved under a lock");
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
}

/// Told what each record is, a transform costs the engine no call a record.
#[tokio::test]
async fn meta_and_origins_are_given_without_a_call_for_each_record() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, origin text, place bigint, version integer);
         create function shop.items_v1(doc jsonb, meta jsonb) returns table (id bigint, origin text, place bigint, version integer)
         language sql stable as $$
           select (doc->>'id')::bigint, meta->>'origin', (meta->>'position')::bigint, (meta->>'version')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           source => sluice.file_source(path => '-'), key => '{id}')",
    )
    .await;
    let hand = Hand::start(&db).await;
    hand.session.batch_execute("set track_functions = 'all'").await.unwrap();
    let count = "select coalesce(sum(calls), 0)::bigint from pg_stat_xact_user_functions where schemaname = 'sluice'";
    let mut calls = Vec::new();
    for records in [10, 1000] {
        let payloads: Vec<String> = (0..records).map(|id| format!(r#"{{"id": {id}}}"#)).collect();
        hand.stage(&payloads).await.unwrap();
        let before: i64 = hand.session.query_one(count, &[]).await.unwrap().get(0);
        let row = hand
            .session
            .query_one(
                // Two records an origin, and none for the first.
                "select transformed from sluice.transform_batch((
                   select jsonb_agg(jsonb_build_object('first_ordinal', o * 2 + 1, 'origin', 'file ' || o)) from generate_series(0, $1) o))",
                &[&(records / 2)],
            )
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), i64::from(records));
        let after: i64 = hand.session.query_one(count, &[]).await.unwrap().get(0);
        calls.push(after - before);
        let wrong = crate::support::db::rows(
            &hand.session,
            "select id, origin, place, version from pg_temp.sluice_rows
             where (place, version) <> (id + 1, 1) or origin is distinct from 'file ' || nullif((id + 1) / 2, 0) - 1",
        )
        .await;
        assert_eq!(wrong, Vec::<String>::new());
        hand.session.batch_execute("rollback").await.unwrap();
    }
    assert_eq!(calls[0], calls[1], "calls for 10 and for 1,000 records");
}
