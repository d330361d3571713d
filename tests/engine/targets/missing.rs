//! Orders that a complete read no longer brings.

use super::{is_sound, order, order_with, orders_are, shop_with};
use crate::engine::Hand;

/// A complete read of these records.
pub(super) async fn read(hand: &mut Hand, records: &[String]) -> String {
    hand.stage(records).await.unwrap();
    hand.transform().await.unwrap();
    hand.session
        .batch_execute(&format!(
            "select from sluice.load_batch({}, {}, {}, '{{}}', snapshot => 'begin'); commit",
            hand.run,
            hand.epoch,
            hand.seq + 1
        ))
        .await
        .unwrap();
    let row = hand
        .session
        .query_one(
            "select format('deleted=%s updated=%s', deleted, updated) from sluice.finish_snapshot($1, $2, $3)",
            &[&hand.run, &hand.epoch, &(hand.seq + 2)],
        )
        .await
        .unwrap();
    hand.seq += 2;
    row.get(0)
}

#[tokio::test]
async fn an_order_that_is_missing_goes_with_its_lines() {
    let (db, mut hand) =
        shop_with("children => 'replace'", ", missing => 'delete', max_delete_ratio => 1").await;
    let all = [order(1, 1, &[1, 2]), order(2, 1, &[1]), order(3, 1, &[])];
    assert_eq!(read(&mut hand, &all).await, "deleted=0 updated=0");
    assert_eq!(read(&mut hand, &[order(2, 1, &[1])]).await, "deleted=4 updated=0");
    orders_are(&db, &["2|1"], &["2|1|s1"]).await;
    let books = "select target, deleted from sluice.target_books where kind = 'snapshot' and deleted > 0 order by 1";
    assert_eq!(db.rows(books).await, ["shop.lines|2", "shop.orders|2"]);
}

#[tokio::test]
async fn an_order_that_is_marked_as_missing_keeps_its_lines() {
    let (db, mut hand) = shop_with("children => 'keep'", "").await;
    db.execute(
        "alter table shop.orders add gone_at timestamptz;
         select sluice.set_policies('orders', '{\"mark_column\": \"gone_at\", \"max_delete_ratio\": 1}');",
    )
    .await;
    let all = [order(1, 1, &[1, 2]), order(2, 1, &[1])];
    read(&mut hand, &all).await;
    assert_eq!(read(&mut hand, &[order(2, 1, &[1])]).await, "deleted=0 updated=1");
    assert_eq!(
        db.rows("select order_id, gone_at is not null from shop.orders order by 1").await,
        ["1|t", "2|f"]
    );
    assert_eq!(db.value("select count(*) from shop.lines").await, "3");
    is_sound(&db).await;
}

#[tokio::test]
async fn an_order_with_a_bad_line_is_not_missing() {
    let (db, mut hand) = shop_with("children => 'replace'", ", missing => 'delete'").await;
    read(&mut hand, &[order(1, 1, &[1]), order(2, 1, &[1])]).await;
    let bad = order_with(1, 2, &[1], r#""x": 1"#).replace("s2", "far too long");
    read(&mut hand, &[bad, order(2, 1, &[1])]).await;
    orders_are(&db, &["1|1", "2|1"], &["1|1|s1", "2|1|s1"]).await;
}
