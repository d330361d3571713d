//! Lines with numbers of their own may go from one order to another, and with them what belongs to them.

use super::is_sound;
use crate::engine::Hand;
use crate::support::TestDb;

/// Orders, their lines, each of which may be part of another one, and what was packed of each line.
const TABLES: &str = "
create schema shop;
create table shop.orders (order_id bigint primary key, code text unique);
create table shop.lines (
  line_id bigint primary key, order_id bigint not null references shop.orders,
  part_of bigint references shop.lines, place text, unique (order_id, place));
create table shop.packed (
  box bigint primary key, order_id bigint not null references shop.orders, line_id bigint references shop.lines);
create index on shop.packed (order_id);
create function shop.orders_v1(doc jsonb)
returns table (order_id bigint, code text, sluice_deleted boolean) language sql stable as $$
  select (doc->>'id')::bigint, doc->>'code', not doc ? 'lines' $$;
create function shop.lines_v1(doc jsonb)
returns table (line_id bigint, order_id bigint, part_of bigint, place text) language sql stable as $$
  select (l->>'no')::bigint, (doc->>'id')::bigint, (l->>'part_of')::bigint, l->>'place'
  from jsonb_array_elements(doc->'lines') l $$;
create function shop.packed_v1(doc jsonb)
returns table (box bigint, order_id bigint, line_id bigint) language sql stable as $$
  select (l->>'box')::bigint, (doc->>'id')::bigint, (l->>'no')::bigint
  from jsonb_array_elements(doc->'lines') l where l ? 'box' $$;";

async fn shop(children: &str, options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    db.execute(TABLES).await;
    db.execute(&format!(
        "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{{order_id}}', source => sluice.file_source(path => '-'),
           max_bad_ratio => 1, also => array[
             sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines', key => '{{line_id}}',
               parent => '{{order_id}}', children => '{children}'{options}),
             sluice.also_target(transform => 'shop.packed_v1', target => 'shop.packed', key => '{{box}}',
               parent => '{{order_id}}', children => '{children}')]{options});"
    ))
    .await;
    let hand = Hand::of(db.connect().await, "orders").await;
    (db, hand)
}

/// An order with these lines, each by its number; `no+box` with what was packed of it.
fn order(id: i64, lines: &[&str]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| match line.split_once('+') {
            Some((no, packed)) => format!(r#"{{"no": {no}, "box": {packed}}}"#),
            None => format!(r#"{{"no": {line}}}"#),
        })
        .collect();
    format!(r#"{{"id": {id}, "lines": [{}]}}"#, lines.join(", "))
}

fn gone(id: i64) -> String {
    format!(r#"{{"id": {id}}}"#)
}

/// The orders, then each line with its order, and each box with its line.
async fn there_are(db: &TestDb, orders: &[&str], lines: &[&str], packed: &[&str]) {
    assert_eq!(db.rows("select order_id from shop.orders order by 1").await, orders);
    let places = "select line_id, order_id from shop.lines order by 1";
    assert_eq!(db.rows(places).await, lines);
    let boxes = "select box, line_id from shop.packed order by 1";
    assert_eq!(db.rows(boxes).await, packed);
    is_sound(db).await;
}

#[tokio::test]
async fn a_line_that_moves_to_another_order_is_not_lost() {
    let (db, mut hand) = shop("replace", "").await;
    hand.load(&[order(1, &["11", "12"]), order(2, &["13"])]).await;
    // In one batch, in both orders. The order that it leaves is written, too, as its lines have changed.
    assert_eq!(
        hand.load(&[order(1, &["11"]), order(2, &["12", "13"])]).await,
        "extracted=2 transformed=2 produced=5 updated=3 unchanged=2"
    );
    hand.load(&[order(1, &["12", "11"]), order(2, &["13"])]).await;
    // One after the other.
    hand.load(&[order(2, &["13", "11"])]).await;
    hand.load(&[order(1, &["12"])]).await;
    there_are(&db, &["1", "2"], &["11|2", "12|1", "13|2"], &[]).await;
}

#[tokio::test]
async fn a_line_moves_away_from_an_order_that_the_same_batch_deletes() {
    for children in ["replace", "keep"] {
        let (db, mut hand) = shop(children, "").await;
        hand.load(&[order(1, &["11"]), order(2, &["12"]), order(3, &["13"])]).await;
        assert_eq!(
            hand.load(&[gone(1), order(2, &["12", "11"])]).await,
            "extracted=2 transformed=2 produced=4 updated=2 deleted=1 unchanged=1",
            "{children}"
        );
        // To an order that is new, its record before the delete.
        assert_eq!(
            hand.load(&[order(4, &["13"]), gone(3)]).await,
            "extracted=2 transformed=2 produced=3 inserted=1 updated=1 deleted=1",
            "{children}"
        );
        there_are(&db, &["2", "4"], &["11|2", "12|2", "13|4"], &[]).await;
        assert_eq!(db.value("select count(*) from sluice.tombstones").await, "2");
    }
}

#[tokio::test]
async fn what_belongs_to_a_line_moves_away_from_it_before_it_goes() {
    let (db, mut hand) = shop("replace", "").await;
    hand.load(&[order(1, &["11+91", "12"]), order(2, &["13"])]).await;
    // Line 11 goes, box 91 comes to another one of the order.
    assert_eq!(
        hand.load(&[order(1, &["12+91"])]).await,
        "extracted=1 transformed=1 produced=4 updated=2 deleted=1 unchanged=1"
    );
    // The order goes with its line, and the box comes to a line of another order.
    assert_eq!(
        hand.load(&[order(2, &["13+91"]), gone(1)]).await,
        "extracted=2 transformed=2 produced=5 updated=2 deleted=2 unchanged=1"
    );
    there_are(&db, &["2"], &["13|2"], &["91|13"]).await;
    assert_eq!(
        db.rows("select target, produced, updated, deleted from sluice.target_books where batch = 3 order by 1").await,
        ["shop.lines|2|0|1", "shop.orders|2|1|1", "shop.packed|1|1|0"]
    );
}

#[tokio::test]
async fn a_line_that_others_were_part_of_goes_after_they_say_that_they_are_not() {
    let (db, mut hand) = shop("replace", "").await;
    hand.load(&[order(1, &["11", "12"]).replace(r#""no": 12"#, r#""no": 12, "part_of": 11"#)])
        .await;
    assert_eq!(
        hand.load(&[order(1, &["12"])]).await,
        "extracted=1 transformed=1 produced=3 updated=2 deleted=1"
    );
    there_are(&db, &["1"], &["12|1"], &[]).await;
    // Both at once.
    hand.load(&[order(1, &["12", "13"]).replace(r#""no": 13"#, r#""no": 13, "part_of": 12"#)])
        .await;
    hand.load(&[order(1, &["14"])]).await;
    there_are(&db, &["1"], &["14|1"], &[]).await;
}

/// Only what others still refer to waits: of other deletes the values are free for what comes.
#[tokio::test]
async fn unique_values_are_handed_on_in_a_batch_in_which_other_deletes_wait() {
    let (db, mut hand) = shop("replace", "").await;
    let coded =
        |record: String, code: &str| record.replacen('{', &format!(r#"{{"code": "{code}", "#), 1);
    let placed = |record: String| record.replace(r#""no""#, r#""place": "top", "no""#);
    hand.load(&[order(1, &["11"]), coded(order(2, &[]), "x"), placed(order(3, &["13"]))]).await;
    assert_eq!(
        hand.load(&[gone(1), gone(2), coded(order(4, &["11"]), "x"), placed(order(3, &["14"]))])
            .await,
        "extracted=4 transformed=4 produced=7 inserted=2 updated=2 deleted=3"
    );
    there_are(&db, &["3", "4"], &["11|4", "14|3"], &[]).await;
}

/// A record by itself is tried as if the others were not there, and together with them in the order of the merge.
#[tokio::test]
async fn a_bad_record_beside_a_line_that_moves_is_the_only_one_in_quarantine() {
    for children in ["replace", "keep"] {
        let (db, mut hand) = shop(children, "").await;
        hand.load(&[order(1, &["11"]), order(2, &["12"])]).await;
        db.execute(
            "create function shop.no_7() returns trigger language plpgsql as $$ begin
               if new.line_id = 77 then raise 'no 7'; end if; return new; end $$;
             create trigger no_7 before insert on shop.lines for each row execute function shop.no_7();",
        )
        .await;
        // The line arrives many records behind the delete, further than is tried at once.
        let mut records = vec![gone(1), order(7, &["77"])];
        records.extend((100..500).map(|id| order(id, &[])));
        records.push(order(2, &["12", "11"]));
        hand.load(&records).await;
        assert_eq!(
            db.rows("select position, message from sluice.quarantine").await,
            ["2|no 7"],
            "{children}"
        );
        assert_eq!(
            db.rows("select line_id, order_id from shop.lines order by 1").await,
            ["11|2", "12|2"]
        );
        is_sound(&db).await;
    }
}

/// A table of somebody else's refers to order 1.
#[tokio::test]
async fn a_delete_that_fails_behind_the_merges_is_the_fault_of_its_own_record() {
    let (db, mut hand) = shop("replace", "").await;
    hand.load(&[order(1, &["11"]), order(2, &["12"])]).await;
    db.execute("create table shop.invoices (of bigint references shop.orders); insert into shop.invoices values (1)")
        .await;
    hand.load(&[order(2, &["12", "11"]), gone(1), order(3, &[])]).await;
    assert_eq!(
        db.rows("select position, sqlstate, constraint_name from sluice.quarantine").await,
        ["2|23503|invoices_of_fkey"]
    );
    there_are(&db, &["1", "2", "3"], &["11|2", "12|2"], &[]).await;
}

#[tokio::test]
async fn a_delete_that_waits_is_noted_for_delivery_behind_what_it_waits_for_and_shown_once() {
    let (db, mut hand) =
        shop("replace", ", deliver => sluice.http_delivery(url => 'https://crm.example')").await;
    hand.load(&[order(1, &["11", "12"]), order(2, &[])]).await;
    hand.session.batch_execute("begin; select sluice.capture_changes()").await.unwrap();
    hand.stage(&[gone(1), order(2, &["11"])]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    let shown = hand
        .session
        .query_one("select string_agg(line, ' / ') from sluice.captured_changes()", &[])
        .await
        .unwrap();
    assert_eq!(
        shown.get::<_, &str>(0),
        "delete shop.lines line_id=12: order_id 1, part_of null, place null / delete order_id=1 / update order_id=2 / \
         update shop.lines line_id=11: order_id 1 → 2"
    );
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(
        db.rows("select operation, key from sluice.outbox where batch_id = 2 order by delivery_id")
            .await,
        [
            r#"delete|{"line_id": 12}"#,
            r#"upsert|{"order_id": 2}"#,
            r#"upsert|{"line_id": 11}"#,
            r#"delete|{"order_id": 1}"#,
        ]
    );
}

#[tokio::test]
async fn what_decides_whether_a_delete_waits_is_shown_where_one_may_have_to() {
    let (db, _) = shop("replace", "").await;
    let waits = "select step, count(*) from sluice.statements('orders') where step like 'wait%' group by 1 order by 1";
    assert_eq!(db.rows(waits).await, ["wait|2", "wait of shop.lines|3"]);
    // Checked at the end, they hold nothing up.
    db.execute(
        "alter table shop.lines alter constraint lines_order_id_fkey deferrable,
           alter constraint lines_part_of_fkey deferrable;
         alter table shop.packed alter constraint packed_order_id_fkey deferrable,
           alter constraint packed_line_id_fkey deferrable;",
    )
    .await;
    assert_eq!(db.rows(waits).await, Vec::<String>::new());
}
