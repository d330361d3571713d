//! Children that a newer record of their parent no longer makes.

use super::{order, order_with, orders_are, shop, shop_with};

#[tokio::test]
async fn lines_that_left_their_order_are_deleted() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2, 3]), order(2, 1, &[1])]).await;
    assert_eq!(
        hand.load(&[order(1, 2, &[2, 4])]).await,
        "extracted=1 transformed=1 produced=5 inserted=1 updated=2 deleted=2"
    );
    orders_are(&db, &["1|2", "2|1"], &["1|2|s2", "1|4|s2", "2|1|s1"]).await;
    hand.load(&[order(1, 3, &[])]).await;
    orders_are(&db, &["1|3", "2|1"], &["2|1|s1"]).await;
}

#[tokio::test]
async fn an_order_is_written_when_only_its_lines_change() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1]), order(3, 1, &[1])]).await;
    assert_eq!(
        hand.load(&[
            order(1, 1, &[1]),
            order(2, 1, &[1]).replace("s1", "other"),
            order(3, 1, &[1]),
        ])
        .await,
        "extracted=3 transformed=3 produced=7 updated=3 deleted=1 unchanged=3"
    );
    let batches = "select order_id, sluice_batch from shop.orders order by 1";
    assert_eq!(db.rows(batches).await, ["1|2", "2|2", "3|1"]);
    hand.load(&[order(3, 1, &[1, 2])]).await;
    assert_eq!(db.rows(batches).await, ["1|2", "2|2", "3|3"]);
}

#[tokio::test]
async fn lines_that_are_kept_stay_when_a_record_does_not_bring_them() {
    let (db, mut hand) = shop_with("children => 'keep'", ", order_by => 'at'").await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    assert_eq!(
        hand.load(&[order(1, 2, &[2, 3])]).await,
        "extracted=1 transformed=1 produced=3 inserted=1 updated=2"
    );
    orders_are(&db, &["1|2"], &["1|1|s1", "1|2|s2", "1|3|s2"]).await;
}

#[tokio::test]
async fn a_deleted_order_takes_all_of_its_lines_along() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1]), order(3, 1, &[1])]).await;
    assert_eq!(
        hand.load(&[
            order_with(1, 2, &[1, 9], r#""gone": true"#),
            order_with(2, 2, &[], r#""gone": true"#),
            order_with(4, 2, &[1], r#""gone": true"#), // never was there
        ])
        .await,
        "extracted=3 transformed=3 produced=9 deleted=5 unchanged=4"
    );
    orders_are(&db, &["3|1"], &["3|1|s1"]).await;
    // Older than the delete, and so are the lines.
    assert_eq!(
        hand.load(&[order(1, 1, &[1, 2])]).await,
        "extracted=1 transformed=1 produced=3 stale=3"
    );
    hand.load(&[order(1, 3, &[5])]).await;
    orders_are(&db, &["1|3", "3|1"], &["1|5|s3", "3|1|s1"]).await;
}

#[tokio::test]
async fn a_deleted_order_takes_kept_lines_along_that_its_record_names() {
    let (db, mut hand) = shop_with("children => 'keep'", ", order_by => 'at'").await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1, 2])]).await;
    assert_eq!(
        hand.load(&[
            order_with(1, 2, &[1, 2], r#""gone": true"#),
            order_with(2, 2, &[1], r#""gone": true"#), // line 2 still refers to it
        ])
        .await,
        "extracted=2 transformed=1 quarantined=1 produced=5 deleted=3 unchanged=2"
    );
    orders_are(&db, &["2|1"], &["2|1|s1", "2|2|s1"]).await;
}

#[tokio::test]
async fn what_leaves_frees_its_place_for_what_comes() {
    let (db, mut hand) = shop().await;
    db.execute("alter table shop.lines add unique (order_id, sku)").await;
    hand.load(&[order(1, 1, &[1])]).await;
    // Another number, the same SKU.
    hand.load(&[order(1, 2, &[2]).replace("s2", "s1")]).await;
    orders_are(&db, &["1|2"], &["1|2|s1"]).await;
}
