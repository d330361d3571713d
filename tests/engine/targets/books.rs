//! Each target has its books, and what is looked at is looked at in each.

use super::{definition, is_sound, order, order_with, orders_are, shop};
use crate::engine::{Hand, problem};

#[tokio::test]
async fn a_batch_has_the_books_of_each_target_and_their_sums() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    hand.load(&[order(1, 2, &[2, 3]), order(2, 0, &[9]), order(1, 1, &[7])]).await;
    let books =
        "select batch, target, produced, inserted, updated, deleted, unchanged, stale, superseded
                 from sluice.target_books order by batch, target desc";
    assert_eq!(
        db.rows(books).await,
        [
            "1|shop.orders|2|2|0|0|0|0|0",
            "1|shop.lines|3|3|0|0|0|0|0",
            "2|shop.orders|3|0|1|0|0|1|1",
            "2|shop.lines|5|1|1|1|0|1|1",
        ]
    );
    let sums = "select produced, inserted, updated, deleted, stale, superseded from sluice.batches order by batch_id";
    assert_eq!(db.rows(sums).await, ["5|5|0|0|0|0", "8|1|2|1|2|2"]);
    let of_run = "select targets from sluice.status_details";
    assert_eq!(
        db.value(of_run).await,
        r#"[{"target": "shop.orders", "written": 3}, {"target": "shop.lines", "written": 6}]"#
    );
}

#[tokio::test]
async fn books_of_targets_that_do_not_add_up_are_refused_and_found() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    let one_more = "update sluice.batches set targets = jsonb_set(targets, '{1,inserted}', '3')";
    problem(&db, one_more).await.is("23514", "batches_rows_of_each_target_are_accounted_for");
    db.execute("update sluice.batches set targets = targets - 1").await;
    let broken = db.rows("select detail from sluice.verify('orders') where not is_ok").await;
    assert_eq!(
        broken,
        [
            "batch 1: its targets come to produced=1 inserted=1 updated=0 deleted=0 unchanged=0 stale=0 superseded=0"
        ]
    );
}

#[tokio::test]
async fn verify_finds_what_was_done_to_a_further_target() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2, 3])]).await;
    is_sound(&db).await;
    db.execute(
        "update shop.lines set qty = 9 where line_no = 1; delete from shop.lines where line_no = 2",
    )
    .await;
    let found = "select check_name, detail from sluice.verify('orders', deep => true) where is_ok is not true";
    assert_eq!(
        db.rows(found).await,
        [
            "row count of shop.lines|rows: 2, inserted less deleted: 3; the others were deleted behind the tool's back (sluice reconcile)",
            r#"row hashes of shop.lines|1 of 2 rows were edited behind the tool's back: {"line_no": 1, "order_id": 1}"#,
        ]
    );
    assert_eq!(
        db.rows("select what, rows from sluice.reconcile('orders', '{deleted,edited}', 'they asked', 'shop.lines') where accepted")
            .await,
        ["deleted|1", "edited|1"]
    );
    is_sound(&db).await;
    problem(&db, "select from sluice.reconcile('orders', target => 'shop.prices')")
        .await
        .refuses("pipeline orders has no target shop.prices", "it has shop.orders, shop.lines");
}

#[tokio::test]
async fn a_dry_run_shows_what_changes_in_each_target() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    hand.session.batch_execute("begin; select sluice.capture_changes()").await.unwrap();
    hand.stage(&[order(1, 2, &[2, 3])]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    let changes = hand
        .session
        .query("select coalesce(target, '-'), line from sluice.captured_changes()", &[])
        .await
        .unwrap();
    let changes: Vec<String> = changes
        .iter()
        .map(|row| format!("{} {}", row.get::<_, &str>(0), row.get::<_, &str>(1)))
        .collect();
    assert_eq!(
        changes,
        [
            r#"shop.lines delete shop.lines line_no=1 order_id=1: sku "s1", qty 1"#,
            "- update order_id=1: at 1 → 2",
            r#"shop.lines update shop.lines line_no=2 order_id=1: sku "s1" → "s2""#,
            r#"shop.lines insert shop.lines line_no=3 order_id=1: sku "s2", qty 1"#,
        ]
    );
    hand.session.batch_execute("rollback").await.unwrap();
    orders_are(&db, &["1|1"], &["1|1|s1", "1|2|s1"]).await;
}

#[tokio::test]
async fn statements_are_shown_for_each_target() {
    let (db, _) = shop().await;
    let steps = "select string_agg(step, ', ' order by n) from sluice.statements('orders') with ordinality s (step, r, t, n)
                 where step like 'merge%' or step like 'dro%'";
    assert_eq!(
        db.value(steps).await,
        "dropped of shop.lines, drop of shop.lines, merge, merge of shop.lines"
    );
    let of_lines = db
        .value(
            "select statement from sluice.statements('orders') where step = 'merge of shop.lines'",
        )
        .await;
    assert!(
        of_lines
            .starts_with("merge into shop.lines as t\nusing (select * from pg_temp.sluice_rows_2 "),
        "{of_lines}"
    );
    let of_orders = db.value("select sluice.merge_sql('orders')").await;
    assert!(of_orders.starts_with("merge into shop.orders"), "{of_orders}");
}

/// The rows of the first target are delivered, also when only what belongs to them has changed.
#[tokio::test]
async fn an_order_is_delivered_when_its_lines_change() {
    let (db, _) = shop().await;
    db.execute("select sluice.drop_pipeline('orders')").await;
    db.execute(&definition(
        "children => 'replace'",
        ", order_by => 'at', deliver => sluice.http_delivery(url => 'https://crm.example/orders')",
    ))
    .await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    hand.load(&[order(1, 1, &[1]), order(2, 1, &[1])]).await;
    hand.load(&[order_with(2, 2, &[1], r#""gone": true"#)]).await;
    assert_eq!(
        db.rows("select batch_id, key, operation, state from sluice.outbox order by delivery_id")
            .await,
        [
            r#"1|{"order_id": 1}|upsert|superseded"#,
            r#"1|{"order_id": 2}|upsert|superseded"#,
            r#"2|{"order_id": 1}|upsert|unsent"#,
            r#"3|{"order_id": 2}|delete|unsent"#,
        ]
    );
}

#[tokio::test]
async fn why_tells_of_a_row_of_any_target_which_record_and_parent_it_is_of() {
    let (db, _) = shop().await;
    db.execute("select sluice.set_policy('orders', 'retain_raw', '7 days')").await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    hand.load(&[order(1, 2, &[1, 3]), order_with(2, 2, &[1], r#""amount": -1"#)]).await;
    let why = async |order: i64, line: i64| {
        db.rows(&format!(
            "select fact, regexp_replace(value, ' \\(.*', '')
             from sluice.why('orders', '{{\"order_id\": {order}, \"line_no\": {line}}}', 'shop.lines')
             where fact not in ('key', 'committed', 'run', 'by', 'pipeline')"
        ))
        .await
    };
    assert_eq!(
        why(1, 3).await,
        [
            "row|in shop.lines",
            r#"parent|{"order_id": 1} of shop.orders"#,
            "batch|2, load",
            "version|1, shop.lines_v1(jsonb)",
            "source|hand:1",
            &format!("payload|{}", order(1, 2, &[1, 3])),
        ]
    );
    let of_two = why(2, 1).await;
    assert_eq!(of_two[2], "batch|1, load");
    assert!(of_two[6].starts_with("quarantine 1|open: 23514"), "{of_two:?}");
    assert_eq!(why(1, 2).await[0], "row|not in shop.lines");
    problem(&db, "select from sluice.why('orders', '{\"order_id\": 1}', 'shop.lines')")
        .await
        .refuses(
            "is not a key of pipeline orders: line_no is missing",
            "the key is {\"order_id\": ..., \"line_no\": ...}",
        );
}

#[tokio::test]
async fn a_parent_that_another_record_made_too_is_no_row_of_a_record_whose_child_is_bad() {
    let (db, mut hand) = shop().await;
    let bad = order(1, 1, &[1, 2]).replace("\"no\": 2", "\"qty\": 0, \"no\": 2");
    let books = hand.load(&[order(1, 1, &[1, 2]), bad]).await;
    assert!(books.contains("quarantined=1"), "{books}");
    is_sound(&db).await;
}
