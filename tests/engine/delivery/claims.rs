//! How deliveries are claimed, decided, and closed.

use super::{CLAIM, DELIVER, STATES, del, put, shop};
use crate::engine::problem;
use crate::support::TestDb;

const START: &str = "select epoch from sluice.start_delivery('items', 'test')";

async fn record(db: &TestDb, epoch: i64, id: i64, outcome: &str) {
    db.execute(&format!(
        r#"select sluice.record_deliveries('items', {epoch},
             '[{{"id": {id}, "outcome": "{outcome}", "status": 422, "answer": "no", "error": "refused"}}]')"#
    ))
    .await;
}

#[tokio::test]
async fn of_a_key_one_delivery_is_in_flight_and_the_next_follows_when_it_is_decided() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    assert_eq!(db.value(START).await, "1");
    assert_eq!(db.rows(CLAIM).await, [r#"1|in_flight|{"n": 1, "id": 1}"#]);
    // It may have arrived: it is not superseded any more, and repeated as it was.
    hand.load(&[put(1, 2), put(2, 2)]).await;
    let held = "select key->>'id' from sluice.claim_deliveries('items', 1, held => '{1}')";
    assert_eq!(db.rows(held).await, ["2"]);
    let repeated = "select key->>'id', body, is_repeated from sluice.claim_deliveries('items', 1, held => '{3}')";
    assert_eq!(db.rows(repeated).await, [r#"1|{"n": 1, "id": 1}|t"#]);
    record(&db, 1, 1, "sent").await;
    let next = "select key->>'id', body, is_repeated from sluice.claim_deliveries('items', 1, held => '{3}')";
    assert_eq!(db.rows(next).await, [r#"1|{"n": 2, "id": 1}|f"#]);
    assert_eq!(
        db.rows(
            "select detail from sluice.verify('items') where check_name = 'deliveries' and is_ok"
        )
        .await,
        ["sent: 1, unsent: 0, in flight: 2, dead: 0"]
    );
}

#[tokio::test]
async fn a_sender_that_was_replaced_can_claim_and_record_nothing() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    db.rows(START).await;
    db.rows(CLAIM).await;
    assert_eq!(db.value(START).await, "2");
    for call in [
        "select * from sluice.claim_deliveries('items', 1)",
        r#"select sluice.record_deliveries('items', 1, '[{"id": 1, "outcome": "sent"}]')"#,
        "select * from sluice.finish_delivery('items', 1, 'ok')",
    ] {
        problem(&db, call).await.is("SL001", "deposed: test sends since");
    }
    assert_eq!(db.rows(STATES).await, ["1|upsert|in_flight"]);
}

#[tokio::test]
async fn of_large_rows_few_bodies_are_made_before_what_is_taken_is_full() {
    let (db, mut hand) = shop(DELIVER).await;
    db.execute(
        "create sequence shop.made;
         create function shop.large_v1(r shop.items, meta jsonb) returns text language sql
         as $$ select repeat('x', 10000000) || nextval('shop.made') $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'),
           deliver => sluice.http_delivery(url => 'https://crm.example/items', body => 'shop.large_v1'))",
    )
    .await;
    hand.load(&(1..=300).map(|id| put(id, id)).collect::<Vec<_>>()).await;
    assert_eq!(db.value(START).await, "1");
    let claim = "select string_agg(key->>'id', ' ' order by delivery_id) from sluice.claim_deliveries('items', 1, max_rows => 1000)";
    assert_eq!(db.value(claim).await, "1 2");
    let made = db.value("select last_value from shop.made").await;
    assert_eq!(made, "4", "bodies of 10 MB each");
}

#[tokio::test]
async fn a_body_that_raises_is_the_trouble_of_its_row_alone_and_null_sends_nothing() {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        super::TABLE,
        "id bigint, n bigint",
        "(doc->>'id')::bigint, (doc->>'n')::bigint",
        "key => '{id}'",
    )
    .await;
    db.execute(
        "create function shop.item_body_v1(r shop.items, meta jsonb) returns text language sql
         as $$ select case when r.n <> 7 then format('%s of %s: %s', meta->>'operation', r.id, 12 / r.n) end $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'),
           deliver => sluice.http_delivery(url => 'https://crm.example/items', body => 'shop.item_body_v1'))",
    )
    .await;
    let mut hand = crate::engine::Hand::start(&db).await;
    hand.load(&[put(1, 1), put(2, 0), put(3, 7), put(4, 4)]).await;
    db.rows(START).await;
    assert_eq!(
        db.rows(CLAIM).await,
        ["1|in_flight|upsert of 1: 12", "2|dead|-", "3|filtered|-", "4|in_flight|upsert of 4: 3"]
    );
    assert_eq!(
        db.rows("select error from sluice.deliveries_details where state = 'dead'").await,
        ["the body cannot be made: 22012 division by zero"]
    );
    // A function that was replaced is for somebody to look at first.
    db.execute(
        "create or replace function shop.item_body_v1(r shop.items, meta jsonb) returns text language sql
         as $$ select 'else' $$",
    )
    .await;
    problem(&db, START).await.is("SL006", "is not what the pipeline was defined with");
}

#[tokio::test]
async fn what_is_missing_for_every_row_stops_the_sender_and_gives_nothing_up() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    db.rows(START).await;
    db.execute(
        "create function shop.body(r shop.items) returns jsonb language plpgsql as $$ begin return shop.none(r.id); end $$;
         update sluice.delivery_state set body_function = 'shop.body(shop.items)'",
    )
    .await;
    problem(&db, CLAIM).await.is("42883", "shop.none(bigint)");
    db.execute("alter table shop.items rename column n to m").await;
    problem(&db, START).await.refuses("target shop.items has no column n", "its columns are");
    assert_eq!(db.rows(STATES).await, ["1|upsert|unsent"]);
}

#[tokio::test]
async fn a_dead_delivery_is_sent_again_with_another_key_unless_a_newer_one_took_its_place() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 1)]).await;
    db.rows(START).await;
    let claim =
        "select idempotency_key from sluice.claim_deliveries('items', 1) where key->>'id' = '1'";
    let first = db.value(claim).await;
    record(&db, 1, 1, "dead").await;
    record(&db, 1, 2, "dead").await;
    assert_eq!(
        db.rows("select state, status, answer, error, body is not null from sluice.deliveries_details where id = 1").await,
        ["dead|422|no|refused|t"]
    );
    hand.load(&[put(2, 2)]).await;
    assert_eq!(db.value("select sluice.redeliver('items')").await, "1");
    assert_ne!(db.value(claim).await, first);
    problem(&db, "select sluice.redeliver('items', '{2}')")
        .await
        .refuses("pipeline items: delivery 2 is superseded", "only dead ones");
    problem(&db, "select sluice.redeliver('items', '{99}')")
        .await
        .refuses("delivery 99 is not known", "only dead ones");
}

#[tokio::test]
async fn a_refused_delivery_is_superseded_when_a_newer_change_waits_behind_it() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    db.rows(START).await;
    db.rows(CLAIM).await;
    hand.load(&[put(1, 2)]).await;
    record(&db, 1, 1, "dead").await;
    assert_eq!(db.rows(STATES).await, ["1|upsert|superseded", "1|upsert|unsent"]);
}

#[tokio::test]
async fn what_was_certainly_not_applied_is_unsent_again_and_what_may_have_been_is_not() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 1)]).await;
    db.rows(START).await;
    db.rows(CLAIM).await;
    record(&db, 1, 1, "released").await;
    assert_eq!(db.rows(STATES).await, ["1|upsert|unsent", "2|upsert|in_flight"]);
    // The attempt of a sender before may have arrived.
    db.rows(CLAIM).await;
    record(&db, 1, 2, "released").await;
    assert_eq!(db.rows(STATES).await[1], "2|upsert|in_flight");
}

#[tokio::test]
async fn an_attempt_older_than_the_servers_memory_is_not_repeated() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    db.rows(START).await;
    db.rows(CLAIM).await;
    db.execute("update sluice.outbox set attempted_at = now() - interval '25 hours'").await;
    assert_eq!(db.rows(CLAIM).await, [r#"1|dead|{"n": 1, "id": 1}"#]);
    let error = db.value("select error from sluice.deliveries_details").await;
    assert!(error.contains("may have forgotten its key"), "{error}");
    problem(&db, "select sluice.discard_deliveries('items', '{1}', ' ')")
        .await
        .refuses("needs a reason", "reason =>");
    assert_eq!(
        db.value("select sluice.discard_deliveries('items', '{1}', 'it is there')").await,
        "1"
    );
    assert_eq!(db.rows(STATES).await, ["1|upsert|discarded"]);
}

#[tokio::test]
async fn a_row_that_somebody_else_took_away_or_put_back_is_not_sent_as_what_it_was() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 1)]).await;
    hand.load(&[del(2)]).await;
    db.execute("delete from shop.items where id = 1; insert into shop.items values (2, 9)").await;
    db.rows(START).await;
    assert_eq!(db.rows(CLAIM).await, ["1|dead|-", "2|superseded|-"]);
    assert_eq!(
        db.rows("select error from sluice.deliveries_details where state = 'dead'").await,
        ["the row is not in the target any more, and no batch deleted it"]
    );
}

#[tokio::test]
async fn what_is_done_goes_after_keep_days_and_what_is_not_stays() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 1)]).await;
    db.rows(START).await;
    db.rows("select * from sluice.claim_deliveries('items', 1, max_rows => 1)").await;
    record(&db, 1, 1, "sent").await;
    db.execute(
        "update sluice.outbox set noted_at = now() - interval '8 days', closed_at = closed_at - interval '8 days';
         select * from sluice.prune('items')",
    )
    .await;
    assert_eq!(db.rows(STATES).await, ["2|upsert|unsent"]);
    assert_eq!(
        db.value("select unsent || ' ' || in_flight from sluice.finish_delivery('items', 1, 'ok')")
            .await,
        "1 0"
    );
}

#[tokio::test]
async fn a_delivery_that_overtook_an_older_one_of_its_key_is_found() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    db.rows(START).await;
    db.rows(CLAIM).await;
    hand.load(&[put(1, 2)]).await;
    db.execute("update sluice.outbox set state = 'sent', closed_at = now() where delivery_id = 2")
        .await;
    assert_eq!(
        db.rows("select check_name, detail from sluice.verify('items') where not is_ok").await,
        [r#"deliveries|delivery 1 of {"id": 1} was overtaken by 2"#]
    );
}

/// A batch that is about to supersede a delivery holds it: the sender passes over it, and waits
/// for nobody.
#[tokio::test]
async fn a_sender_does_not_wait_for_a_batch_that_is_going_on() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 1)]).await;
    hand.stage(&[put(1, 2)]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    db.rows(START).await;
    assert_eq!(db.rows(CLAIM).await, [r#"2|in_flight|{"n": 1, "id": 2}"#]);
    hand.session.batch_execute("commit").await.unwrap();
    let rest = "select key->>'id', body from sluice.claim_deliveries('items', 1, held => '{2}')";
    assert_eq!(db.rows(rest).await, [r#"1|{"n": 2, "id": 1}"#]);
}
