//! What is older never overwrites what is newer.

use super::{Hand, ROWS, shop, start};

#[tokio::test]
async fn without_order_a_backfill_adds_rows_and_changes_only_its_own() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 10}"#]).await;
    db.execute("insert into shop.items (id, n) values (5, 5)").await;
    let mut past = start(&db).await;
    assert_eq!(
        past.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#, r#"{"id": 5, "n": 1}"#]).await,
        "extracted=3 transformed=3 produced=3 inserted=1 stale=2"
    );
    // Of its own range the later record counts, also in another run.
    let mut past = start(&db).await;
    assert_eq!(
        past.load(&[r#"{"id": 2, "n": 22}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    live.load(&[r#"{"id": 2, "n": 222}"#]).await;
    assert_eq!(
        past.load(&[r#"{"id": 2, "n": 2}"#, r#"{"id": 1, "n": 10}"#]).await,
        "extracted=2 transformed=2 produced=2 unchanged=1 stale=1"
    );
    assert_eq!(db.rows(ROWS).await, ["1|10", "2|222", "5|5"]);
    db.is_sound().await;
}

#[tokio::test]
async fn with_order_the_newer_row_wins_and_an_equal_one_stays() {
    let db = shop(", order_by => 'at'").await;
    let mut live = Hand::start(&db).await;
    live.load(&[
        r#"{"id": 1, "n": 1, "at": 5}"#,
        r#"{"id": 2, "n": 2, "at": 5}"#,
        r#"{"id": 3, "n": 3, "at": 5}"#,
    ])
    .await;
    let mut past = start(&db).await;
    assert_eq!(
        past.load(&[
            r#"{"id": 1, "n": 10, "at": 4}"#,
            r#"{"id": 2, "n": 20, "at": 5}"#,
            r#"{"id": 3, "n": 30, "at": 6}"#,
            r#"{"id": 4, "n": 40, "at": 1}"#,
        ])
        .await,
        "extracted=4 transformed=4 produced=4 inserted=1 updated=1 stale=2"
    );
    assert_eq!(
        past.load(&[r#"{"id": 4, "n": 41, "at": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    assert_eq!(db.rows(ROWS).await, ["1|1", "2|2", "3|30", "4|41"]);
    assert_eq!(
        live.load(&[r#"{"id": 3, "n": 31, "at": 7}"#, r#"{"id": 4, "n": 1, "at": 1}"#]).await,
        "extracted=2 transformed=2 produced=2 updated=2",
        "for the live pipeline the later arrival of an equal one wins, as ever"
    );
}

#[tokio::test]
async fn rows_of_another_backfill_are_left_alone_without_order() {
    let db = shop("").await;
    start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let other = db.value("select sluice.start_backfill('items', objects => 'other*')").await;
    assert_eq!(
        Hand::of(db.connect().await, &other).await.load(&[r#"{"id": 1, "n": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 stale=1"
    );
}

#[tokio::test]
async fn deleted_rows_are_not_brought_back_and_live_ones_not_deleted() {
    for order in ["", ", order_by => 'at'"] {
        let db = shop(order).await;
        let mut live = Hand::start(&db).await;
        live.load(&[r#"{"id": 1, "n": 1, "at": 5}"#, r#"{"id": 2, "n": 1, "at": 5}"#]).await;
        live.load(&[r#"{"id": 1, "at": 6, "gone": 1}"#]).await;
        let mut past = start(&db).await;
        past.load(&[
            r#"{"id": 1, "n": 1, "at": 4}"#,
            r#"{"id": 2, "at": 4, "gone": 1}"#,
            r#"{"id": 3, "n": 1, "at": 4}"#,
        ])
        .await;
        assert_eq!(db.rows(ROWS).await, ["2|1", "3|1"], "{order}");
        // Deleted and made again within the range.
        past.load(&[r#"{"id": 3, "at": 4, "gone": 1}"#]).await;
        past.load(&[r#"{"id": 3, "n": 3, "at": 4}"#]).await;
        assert_eq!(db.rows(ROWS).await, ["2|1", "3|3"], "{order}");
    }
}

#[tokio::test]
async fn live_pipeline_goes_on_over_what_a_backfill_has_written() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#]).await;
    assert_eq!(
        live.load(&[r#"{"id": 1, "n": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    assert_eq!(
        live.load(&[r#"{"id": 1, "n": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    // The two do not depose each other.
    past.load(&[r#"{"id": 2, "n": 1}"#]).await;
    db.is_sound().await;
}
