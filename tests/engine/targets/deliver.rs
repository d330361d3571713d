//! Rows of further targets that are delivered.

use super::missing::read;
use super::{definition, is_sound, order, order_with, shop_with};
use crate::engine::{Hand, problem};
use crate::support::TestDb;

const ORDERS_GO: &str =
    ", order_by => 'at', deliver => sluice.http_delivery(url => 'https://crm.example/orders')";
const LINES_GO: &str = "children => 'replace', \
                        deliver => sluice.http_delivery(url => 'https://crm.example/lines')";
const STATES: &str = "select target, key->>'order_id', key->>'line_no', operation, state
    from sluice.deliveries_details where state <> 'superseded' order by id";

async fn shop() -> (TestDb, Hand) {
    shop_with(LINES_GO, ORDERS_GO).await
}

/// Claims what is to be sent of a target, and answers for the other side.
async fn send(db: &TestDb, target: &str, outcome: &str) -> Vec<String> {
    let epoch = db
        .value(&format!(
            "select epoch from sluice.start_delivery('orders', 'test', target => '{target}')"
        ))
        .await;
    let sent = db
        .rows(&format!(
            "select key, body from sluice.claim_deliveries('orders', {epoch}, target => '{target}')
             where state = 'in_flight' order by delivery_id"
        ))
        .await;
    db.execute(&format!(
        "select sluice.record_deliveries('orders', {epoch}, (
           select jsonb_agg(jsonb_build_object('id', d.id, 'outcome', '{outcome}')) from sluice.deliveries_details d
           where d.state = 'in_flight' and d.target = '{target}'), target => '{target}')"
    ))
    .await;
    sent
}

#[tokio::test]
async fn each_target_has_deliveries_of_its_own() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[])]).await;
    assert_eq!(
        db.rows(STATES).await,
        [
            "shop.orders|1|-|upsert|unsent",
            "shop.orders|2|-|upsert|unsent",
            "shop.lines|1|1|upsert|unsent",
            "shop.lines|1|2|upsert|unsent"
        ]
    );
    assert_eq!(
        send(&db, "shop.lines", "sent").await,
        [
            r#"{"line_no": 1, "order_id": 1}|{"qty": 1, "sku": "s1", "line_no": 1, "order_id": 1}"#,
            r#"{"line_no": 2, "order_id": 1}|{"qty": 1, "sku": "s1", "line_no": 2, "order_id": 1}"#
        ]
    );
    // Of the orders none was touched.
    let open = "select count(*) from sluice.deliveries where state = 'unsent'";
    assert_eq!(db.value(open).await, "2");
    assert_eq!(send(&db, "shop.orders", "sent").await.len(), 2);
    is_sound(&db).await;
}

#[tokio::test]
async fn lines_that_leave_their_order_are_delivered_as_deleted() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    send(&db, "shop.lines", "sent").await;
    send(&db, "shop.orders", "sent").await;
    hand.load(&[order(1, 2, &[1]), order_with(2, 2, &[], r#""gone": true"#)]).await;
    let unsent = "select target, operation, key->>'order_id', key->>'line_no'
        from sluice.deliveries_details where state = 'unsent' order by 1, 2, 3";
    assert_eq!(
        db.rows(unsent).await,
        [
            "shop.lines|delete|1|2",
            "shop.lines|delete|2|1",
            "shop.lines|upsert|1|1",
            "shop.orders|delete|2|-",
            "shop.orders|upsert|1|-"
        ]
    );
    let sent = send(&db, "shop.lines", "sent").await;
    assert!(sent[0].contains(r#""sku": "s1", "line_no": 2"#), "the row as it was: {sent:?}");
    is_sound(&db).await;
}

#[tokio::test]
async fn lines_of_orders_that_a_complete_read_misses_are_delivered_as_deleted() {
    let options = format!("{ORDERS_GO}, missing => 'delete', max_delete_ratio => 1");
    let (db, mut hand) = shop_with(LINES_GO, &options).await;
    read(&mut hand, &[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    read(&mut hand, &[order(2, 1, &[1])]).await;
    let deletes = "select target, key->>'order_id', key->>'line_no' from sluice.deliveries_details
        where operation = 'delete' and state = 'unsent' order by 1, 3";
    assert_eq!(db.rows(deletes).await, ["shop.lines|1|1", "shop.lines|1|2", "shop.orders|1|-"]);
}

#[tokio::test]
async fn what_an_endpoint_is_not_told_of_deleted_lines_is_not_noted() {
    let also = "children => 'replace', \
                deliver => sluice.http_delivery(url => 'https://crm.example/lines', deletes => false)";
    let (db, mut hand) = shop_with(also, ", order_by => 'at'").await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    hand.load(&[order(1, 2, &[1])]).await;
    assert_eq!(
        db.rows(STATES).await,
        ["shop.lines|1|2|upsert|unsent", "shop.lines|1|1|upsert|unsent"]
    );
    // The line that went was never sent, and is not.
    assert_eq!(send(&db, "shop.lines", "sent").await.len(), 1);
}

#[tokio::test]
async fn a_line_that_moves_to_another_order_is_not_delivered_as_deleted() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.orders (order_id bigint primary key, at bigint);
         create table shop.lines (line_id bigint primary key, order_id bigint references shop.orders);
         create index on shop.lines (order_id);
         create function shop.orders_v1(doc jsonb) returns table (order_id bigint, at bigint)
         language sql stable as $$ select (doc->>'id')::bigint, (doc->>'at')::bigint $$;
         create function shop.lines_v1(doc jsonb) returns table (line_id bigint, order_id bigint)
         language sql stable as $$ select e::bigint, (doc->>'id')::bigint from jsonb_array_elements_text(doc->'lines') e $$;
         select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{order_id}', source => sluice.file_source(path => '-'),
           also => array[sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines', key => '{line_id}',
             parent => '{order_id}', children => 'replace',
             deliver => sluice.http_delivery(url => 'https://crm.example/lines'))])",
    )
    .await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    let order = |id: i64, lines: &str| format!(r#"{{"id": {id}, "at": 1, "lines": [{lines}]}}"#);
    hand.load(&[order(1, "7, 8"), order(2, "9")]).await;
    send(&db, "shop.lines", "sent").await;
    hand.load(&[order(1, "8"), order(2, "9, 7")]).await;
    assert_eq!(
        send(&db, "shop.lines", "sent").await,
        [r#"{"line_id": 7}|{"line_id": 7, "order_id": 2}"#]
    );
}

/// By their keys alone the two rows would be one.
#[tokio::test]
async fn rows_of_two_targets_with_one_key_neither_supersede_nor_hold_up_each_other() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.people (id bigint primary key, n bigint);
         create table shop.cards (id bigint primary key references shop.people, n bigint);
         create function shop.people_v1(doc jsonb) returns table (id bigint, n bigint)
         language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::bigint $$;
         create function shop.cards_v1(doc jsonb) returns table (id bigint, n bigint)
         language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::bigint $$;
         select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.people_v1',
           target => 'shop.people', key => '{id}', source => sluice.file_source(path => '-'),
           deliver => sluice.http_delivery(url => 'https://crm.example/people'),
           also => array[sluice.also_target(transform => 'shop.cards_v1', target => 'shop.cards', key => '{id}',
             parent => '{id}', deliver => sluice.http_delivery(url => 'https://crm.example/cards'))])",
    )
    .await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let claim = |target| {
        format!(
            "select idempotency_key from sluice.claim_deliveries('orders', epoch => 1, target => 'shop.{target}')"
        )
    };
    for target in ["people", "cards"] {
        let start = format!(
            "select epoch from sluice.start_delivery('orders', 'test', target => 'shop.{target}')"
        );
        assert_eq!(db.value(&start).await, "1", "epochs are counted apart");
    }
    let keys = [db.value(&claim("people")).await, db.value(&claim("cards")).await];
    assert!(!keys[1].is_empty(), "held up by the row of the other target");
    assert_ne!(keys[0], keys[1], "a server would take the second for the first");
    // A person whose row is done; the card is in flight still.
    db.execute(
        "select sluice.record_deliveries('orders', 1, jsonb_build_array(jsonb_build_object(
           'id', (select min(id) from sluice.deliveries), 'outcome', 'sent')))",
    )
    .await;
    let states = "select target, state from sluice.deliveries_details order by id";
    assert_eq!(db.rows(states).await, ["shop.people|sent", "shop.cards|in_flight"]);
    // A sender of one deposes none of the other.
    db.rows("select sluice.start_delivery('orders', 'next', target => 'shop.people')").await;
    db.execute(
        "select sluice.record_deliveries('orders', 1, jsonb_build_array(jsonb_build_object(
           'id', (select max(id) from sluice.deliveries), 'outcome', 'dead')), target => 'shop.cards')",
    )
    .await;
    hand.load(&[r#"{"id": 1, "n": 2}"#]).await;
    assert_eq!(
        db.rows(states).await,
        ["shop.people|sent", "shop.cards|superseded", "shop.people|unsent", "shop.cards|unsent"]
    );
    is_sound(&db).await;
}

#[tokio::test]
async fn a_sender_claims_what_was_noted_up_to_a_delivery_and_not_again_what_it_put_off() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1]), order(2, 1, &[])]).await;
    let latest = "select target, latest_unsent from sluice.delivering_targets('orders')";
    assert_eq!(db.rows(latest).await, ["shop.orders|2", "shop.lines|3"]);
    hand.load(&[order(3, 1, &[]), order_with(2, 2, &[], r#""gone": true"#)]).await;
    db.rows("select sluice.start_delivery('orders', 'test')").await;
    let claim = |more: &str| {
        format!("select delivery_id, operation from sluice.claim_deliveries('orders', 1{more})")
    };
    let upserts = claim(", only_upserts => true, up_to => 3");
    assert_eq!(db.rows(&upserts).await, ["1|upsert"]);
    db.execute(
        r#"select sluice.record_deliveries('orders', 1, '[{"id": 1, "outcome": "put_off", "error": "23503 no"}]')"#,
    )
    .await;
    let held = claim(", held => '{1}', only_upserts => true");
    assert_eq!(db.rows(&held).await, ["4|upsert"]);
    let next = claim(", held => '{4}', up_to => 3");
    assert_eq!(db.rows(&next).await, ["1|upsert"]);
    is_sound(&db).await;
}

#[tokio::test]
async fn a_further_target_may_be_the_only_one_that_delivers() {
    let (db, mut hand) = shop_with(LINES_GO, ", order_by => 'at'").await;
    hand.load(&[order(1, 1, &[1])]).await;
    assert_eq!(
        db.rows("select * from sluice.delivering_targets('orders')").await,
        ["shop.lines|f|1"]
    );
    assert_eq!(send(&db, "shop.lines", "dead").await.len(), 1);
    problem(&db, "select * from sluice.start_delivery('orders', 'test')")
        .await
        .refuses("delivers no rows of shop.orders", "shop.lines");
    problem(&db, "select * from sluice.start_delivery('orders', 'test', target => 'shop.line')")
        .await
        .refuses("has no target shop.line", "shop.lines");
    assert_eq!(db.value("select sluice.redeliver('orders')").await, "1");
    let enqueue = "select sluice.enqueue_deliveries('orders', target => 'shop.lines')";
    assert_eq!(db.value(enqueue).await, "1");
    assert_eq!(db.rows(STATES).await, ["shop.lines|1|1|upsert|unsent"]);
}

#[tokio::test]
async fn the_definition_says_where_each_target_delivers_and_applies_as_it_is_printed() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    let printed = db.rows("select sluice.definition('orders')").await.join("\n");
    db.execute(&format!("begin; {printed} commit")).await;
    assert_eq!(
        db.value("select also_deliver->'shop.lines'->>'url' from sluice.pipelines").await,
        "https://crm.example/lines"
    );
    assert_eq!(db.rows(STATES).await.len(), 2);
    let elsewhere = definition(&LINES_GO.replace("/lines", "/rows"), ORDERS_GO);
    let said = db.value(&elsewhere).await;
    assert!(
        said.contains(
            r#"deliver of shop.lines url "https://crm.example/lines" → "https://crm.example/rows""#
        ),
        "{said}"
    );
    let wrong = LINES_GO.replace("/lines", "/{sku}");
    problem(&db, &definition(&wrong, ORDERS_GO))
        .await
        .refuses("{sku} in the url of deliver is not a key column", "order_id, line_no");
    let strange = LINES_GO.replace("https:", "ftp:");
    problem(&db, &definition(&strange, ORDERS_GO))
        .await
        .refuses("url cannot be", "begins with https://");
}

#[tokio::test]
async fn a_target_that_is_not_delivered_any_more_closes_what_was_not_sent_of_it() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    db.execute(&definition("children => 'replace'", ORDERS_GO)).await;
    assert_eq!(
        db.rows(STATES).await,
        ["shop.orders|1|-|upsert|unsent", "shop.lines|1|1|upsert|discarded"]
    );
    hand.load(&[order(1, 2, &[1])]).await;
    assert_eq!(db.rows(STATES).await.len(), 2);
    // It comes back under the number that it had.
    db.execute(&definition(LINES_GO, ORDERS_GO)).await;
    assert_eq!(
        db.rows("select route, target from sluice.delivery_state order by 1").await,
        ["1|-", "2|shop.lines"]
    );
    hand.load(&[order(1, 3, &[1])]).await;
    db.execute("select sluice.set_policy('orders', 'deliver', 'none')").await;
    let open = "select count(*) from sluice.deliveries where state = 'unsent'";
    assert_eq!(db.value(open).await, "0");
    // And stays so, as it was set elsewhere.
    let said = db.value(&definition(LINES_GO, ORDERS_GO)).await;
    assert!(said.contains("also_deliver stays none"), "{said}");
    hand.load(&[order(1, 4, &[1])]).await;
    assert_eq!(db.value(open).await, "0");
}

#[tokio::test]
async fn replayed_and_backfilled_lines_are_deliveries_of_the_pipeline() {
    let (db, mut hand) = shop().await;
    let bad = order(1, 1, &[1]).replace("s1", "far too long for a sku");
    hand.load(&[bad]).await;
    db.execute(
        "select sluice.amend(id, replace(payload, 'far too long for a sku', 'short'), 'typo')
         from sluice.quarantine_open_details;
         select * from sluice.replay('orders')",
    )
    .await;
    db.execute("select sluice.start_backfill('orders', objects => '*')").await;
    let mut backfill = Hand::of(db.connect().await, "orders.backfill-1").await;
    backfill.load(&[order(9, 1, &[3])]).await;
    let lines = "select pipeline, key->>'order_id' from sluice.deliveries_details
        where target = 'shop.lines' order by id";
    assert_eq!(db.rows(lines).await, ["orders|1", "orders|9"]);
}

#[tokio::test]
async fn what_is_erased_is_delivered_as_deleted_and_then_forgotten() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    send(&db, "shop.orders", "sent").await;
    hand.load(&[order(1, 2, &[1, 2])]).await;
    let erase = "select place, traces, erased, detail from sluice.erase('orders', '1', reason => 'request 17',
        rows => true) where place like 'rows%' or place = 'deliveries'";
    assert_eq!(
        db.rows(erase).await,
        [
            "deliveries|6|6|",
            "rows of shop.lines|2|2|2 to be delivered as deleted: sluice deliver orders, then erase once more",
            "rows of shop.orders|1|1|a rewind, or the next record of the key, brings it back: stop => true (--stop) \
             keeps it out; 1 to be delivered as deleted: sluice deliver orders, then erase once more"
        ]
    );
    let of_it = "select target, operation, state from sluice.deliveries_details where key->>'order_id' = '1' order by id";
    assert_eq!(
        db.rows(of_it).await,
        ["shop.lines|delete|unsent", "shop.lines|delete|unsent", "shop.orders|delete|unsent"]
    );
    send(&db, "shop.lines", "sent").await;
    assert_eq!(
        db.rows(erase).await,
        [
            "deliveries|3|2|1 are not sent yet: deliver or discard them, then erase once more",
            "rows of shop.lines|0|0|-",
            "rows of shop.orders|0|0|-"
        ]
    );
    send(&db, "shop.orders", "sent").await;
    db.rows(erase).await;
    assert!(db.rows(of_it).await.is_empty());
    is_sound(&db).await;
}

#[tokio::test]
async fn status_and_doctor_tell_of_the_deliveries_of_each_target() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    for (target, error) in [("shop.orders", "no way"), ("shop.lines", "not that either")] {
        db.rows(&format!(
            "select sluice.finish_delivery('orders', epoch, 'failed', '{error}', target => '{target}')
             from sluice.start_delivery('orders', 'test', target => '{target}')"
        ))
        .await;
    }
    assert_eq!(
        db.rows("select undelivered, last_delivery_error from sluice.status_details").await,
        ["3|shop.orders: no way\nshop.lines: not that either"]
    );
    send(&db, "shop.lines", "dead").await;
    assert_eq!(
        db.rows("select d.* from sluice.status_details, jsonb_to_recordset(deliveries) d (target text, waiting int, dead int)")
            .await,
        ["shop.orders|1|0", "shop.lines|0|2"]
    );
    assert_eq!(
        db.rows("select target, count(*) from sluice.deliveries group by 1 order by 1").await,
        ["shop.lines|2", "shop.orders|1"]
    );
    let why = "select regexp_replace(value, 'since [^,]*', 'since ...') from sluice.why('orders', ";
    let fact = |given: &str| format!("{why}{given}) where fact like 'delivery%'");
    assert_eq!(db.rows(&fact("'1'")).await, ["unsent since ..., upsert of batch 1"]);
    assert_eq!(
        db.rows(&fact("'{\"order_id\": 1, \"line_no\": 2}', target => 'shop.lines'")).await,
        ["dead since ..., upsert of batch 1"]
    );
    let doctor = "select \"check\", split_part(detail, ' since', 1) from sluice.doctor() where \"check\" like 'deliveries%'";
    assert_eq!(
        db.rows(doctor).await,
        ["deliveries orders|not sent: 1", "deliveries orders of shop.lines|not sent: 0, dead: 2"]
    );
}

#[tokio::test]
async fn a_body_function_of_a_further_target_is_guarded_like_any_other() {
    let db = TestDb::new().await;
    db.execute(super::TABLES).await;
    db.execute(
        "create function shop.line_body_v1(r shop.lines, meta jsonb) returns jsonb language sql stable
         as $$ select jsonb_build_object('what', r.sku, 'did', meta->>'operation') $$",
    )
    .await;
    let also = LINES_GO.replace("/lines'", "/lines', body => 'shop.line_body_v1'");
    db.execute(&definition(&also, ", order_by => 'at'")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order(1, 1, &[1])]).await;
    assert_eq!(
        send(&db, "shop.lines", "sent").await,
        [r#"{"line_no": 1, "order_id": 1}|{"did": "upsert", "what": "s1"}"#]
    );
    db.execute(
        "create or replace function shop.line_body_v1(r shop.lines, meta jsonb) returns jsonb language sql stable
         as $$ select '{}'::jsonb $$",
    )
    .await;
    problem(&db, "select sluice.start_delivery('orders', 'test', target => 'shop.lines')")
        .await
        .is("SL006", "shop.line_body_v1");
    let doctor = "select verdict, detail from sluice.doctor() where \"check\" = 'pipeline orders'";
    assert!(db.rows(doctor).await[0].contains("SL006"));
}

/// As one that was given back, and what a batch noted of its row meanwhile.
#[tokio::test]
async fn of_two_that_wait_for_one_key_the_older_one_goes_first() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[])]).await;
    db.execute(
        "insert into sluice.outbox (pipeline_id, route, key, key_hash, operation, hash, batch_id)
         select pipeline_id, route, key, key_hash, operation, hash, batch_id from sluice.outbox",
    )
    .await;
    for left in ["1", "0"] {
        assert_eq!(send(&db, "shop.orders", "sent").await.len(), 1);
        let unsent = "select count(*) from sluice.outbox where state = 'unsent'";
        assert_eq!(db.value(unsent).await, left);
    }
}

#[tokio::test]
async fn a_target_that_is_changed_before_the_first_batch_delivers_from_its_first_row_on() {
    let (db, _) = shop().await;
    let define = |target: &str, more: &str| {
        format!(
            "create table shop.{target} (id bigint primary key);
             create or replace function shop.x_v1(doc jsonb) returns table (id bigint) language sql as $$ select 1::bigint $$;
             select sluice.define_pipeline(name => 'x', version => 1, transform => 'shop.x_v1', target => 'shop.{target}',
               key => '{{id}}', source => sluice.file_source(path => 'x') {more})"
        )
    };
    db.execute(&define("xa", "")).await;
    let to = ", deliver => sluice.http_delivery(url => 'https://crm.example/x')";
    db.execute(&define("xb", to)).await;
    Hand::of(db.connect().await, "x").await.load(&["{}"]).await;
    let noted = "select count(*) from sluice.outbox join sluice.pipelines using (pipeline_id) where name = 'x'";
    assert_eq!(db.value(noted).await, "1");
}

#[tokio::test]
async fn what_was_sent_is_pruned_although_nothing_is_delivered_any_more() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    for target in ["shop.orders", "shop.lines"] {
        send(&db, target, "sent").await;
    }
    db.execute(
        "select sluice.set_policy('orders', 'deliver', 'none');
         update sluice.outbox set closed_at = now() - interval '100 days';
         select sluice.prune('orders')",
    )
    .await;
    assert_eq!(db.value("select count(*) from sluice.outbox").await, "0");
}

/// A batch holds the first target alone, whichever it writes to.
#[tokio::test]
async fn whoever_changes_deliveries_of_any_target_waits_for_batches() {
    let (db, mut hand) = shop_with(LINES_GO, ", order_by => 'at'").await;
    hand.load(&[order(1, 1, &[1])]).await;
    let batch = db.connect().await;
    batch
        .batch_execute("begin; select sluice._lock_target('shop.orders'::regclass)")
        .await
        .unwrap();
    for call in [
        "sluice.enqueue_deliveries('orders', 'shop.lines')",
        "sluice.redeliver('orders')",
        "sluice.discard_deliveries('orders', '{}', 'test')",
    ] {
        let call = format!("set lock_timeout = '100ms'; select {call}");
        assert_eq!(problem(&db, &call).await.code, "55P03", "{call}");
    }
}

#[tokio::test]
async fn an_erasure_keeps_what_is_to_be_sent_of_another_row_in_which_its_text_stands() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1234, 1, &[]), order(12345, 1, &[])]).await;
    db.execute(
        "select * from sluice.erase('orders', '{\"order_id\": 1234}', '{1234}', 'request 17', rows => true)",
    )
    .await;
    assert_eq!(
        db.rows(STATES).await,
        ["shop.orders|12345|-|upsert|unsent", "shop.orders|1234|-|delete|unsent"]
    );
}

#[tokio::test]
async fn a_batch_that_was_opened_before_delivering_was_ended_notes_nothing() {
    let (db, hand) = shop().await;
    hand.stage(&[order(1, 1, &[1])]).await.unwrap();
    hand.transform().await.unwrap();
    db.execute("select sluice.set_policy('orders', 'deliver', 'none')").await;
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(db.value("select count(*) from sluice.outbox").await, "0");
}

/// Its route is left, by the name of a target that has another one now.
#[tokio::test]
async fn a_further_target_that_became_the_first_one_is_delivered_and_erased_by_one_route() {
    let db = TestDb::new().await;
    db.execute(super::TABLES).await;
    db.execute(&definition(LINES_GO, ", order_by => 'at'")).await;
    db.execute(
        "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.lines_v1', \
           target => 'shop.lines', key => '{order_id,line_no}', source => sluice.file_source(path => '-'), \
           deliver => sluice.http_delivery(url => 'https://crm.example/lines'));
         insert into shop.orders (order_id, amount, at) values (1, 1, 1)",
    )
    .await;
    let targets = "select target, is_first from sluice.delivering_targets('orders')";
    assert_eq!(db.rows(targets).await, ["shop.lines|t"]);
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    let states = "select key->>'line_no', operation, state from sluice.deliveries order by id";
    assert_eq!(db.rows(states).await, ["1|upsert|unsent", "2|upsert|unsent"]);
    let erase = "select place, erased from sluice.erase('orders', '{\"order_id\": 1, \"line_no\": 2}', \
        reason => 'request 17', rows => true) where place = 'deliveries' or place like 'rows%'";
    assert_eq!(db.rows(erase).await, ["deliveries|1", "rows of shop.lines|1"]);
    assert_eq!(db.rows(states).await, ["1|upsert|unsent", "2|delete|unsent"]);
}

/// All that a version is compiled from has the same xmin then.
#[tokio::test]
async fn a_definition_that_follows_another_in_one_transaction_is_compiled_anew() {
    let db = TestDb::new().await;
    db.execute(super::TABLES).await;
    let session = db.connect().await;
    let mut noted = Vec::new();
    session.batch_execute("begin").await.unwrap();
    for also in ["children => 'replace'", LINES_GO, "children => 'replace'"] {
        session.batch_execute(&definition(also, ", order_by => 'at'")).await.unwrap();
        if noted.is_empty() {
            session.query("select * from sluice.start_run('orders', 'test')", &[]).await.unwrap();
        }
        session
            .query(
                "select * from sluice.begin_batch('orders', (select max(run_id) from sluice.runs))",
                &[],
            )
            .await
            .unwrap();
        let route = "select count(route) from pg_temp.sluice_targets";
        noted.push(session.query_one(route, &[]).await.unwrap().get::<_, i64>(0));
    }
    assert_eq!(noted, [0, 1, 0]);
}
