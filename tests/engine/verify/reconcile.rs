//! What was done by hand, and what of it somebody stands for.

use crate::engine::{Hand, numbers, problem};
use crate::support::TestDb;

const FOUND: &str = "select what, rows, accepted from sluice.reconcile('items')";
const DOUBTS: &str =
    "select check_name, is_ok from sluice.verify('items', deep => true) where is_ok is not true";

async fn shop() -> (TestDb, Hand) {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    let mut hand = Hand::start(&db).await;
    let records: Vec<String> = (1..=5).map(|id| format!("{{\"id\": {id}, \"n\": {id}}}")).collect();
    hand.load(&records).await;
    (db, hand)
}

#[tokio::test]
async fn nothing_done_by_hand_is_nothing_found() {
    let (db, _hand) = shop().await;
    assert_eq!(db.rows(FOUND).await, ["deleted|0|f", "edited|0|f", "unknown|0|f", "foreign|0|f"]);
    assert_eq!(db.value("select count(*) from sluice.batches").await, "1");
}

#[tokio::test]
async fn each_kind_is_found_and_what_is_accepted_proves_well() {
    let (db, mut hand) = shop().await;
    db.execute(
        "delete from shop.items where id = 1; update shop.items set n = 20 where id = 2;
         insert into shop.items values (6, 6, null, null), (7, 7, null, 4711)",
    )
    .await;
    assert_eq!(db.rows(FOUND).await, ["deleted|1|f", "edited|1|f", "unknown|1|f", "foreign|1|f"]);
    assert_eq!(db.rows(DOUBTS).await, ["lineage|f", "row count|f", "row hashes|f"]);
    assert_eq!(
        db.rows("select what, rows, accepted, detail from sluice.reconcile('items', '{deleted,edited}', 'request 17')")
            .await,
        [
            "deleted|1|t|rows that batches inserted are gone",
            "edited|1|t|{\"id\": 2}",
            "unknown|1|f|rows of batches that are not in the ledger",
            "foreign|1|f|rows that no pipeline wrote",
        ]
    );
    assert_eq!(db.rows(DOUBTS).await, ["lineage|f"]);
    db.execute("select sluice.reconcile('items', '{unknown,foreign}', 'from the old system')")
        .await;
    assert_eq!(db.rows(DOUBTS).await, [] as [&str; 0]);
    assert_eq!(
        db.rows(
            "select kind, deleted, updated, note, batch_seq from sluice.batches order by batch_id"
        )
        .await,
        ["load|0|0|-|1", "reconcile|1|0|request 17|-", "reconcile|0|2|from the old system|-"]
    );
    // The row that was edited stays until the source says something else.
    assert_eq!(
        hand.load(&[r#"{"id": 2, "n": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    assert_eq!(db.value("select n from shop.items where id = 2").await, "20");
    hand.load(&[r#"{"id": 2, "n": 21}"#]).await;
    assert_eq!(db.rows(DOUBTS).await, [] as [&str; 0]);
    db.execute("update shop.items set n = 22 where id = 2").await;
    assert_eq!(db.rows(DOUBTS).await, ["row hashes|f"]);
}

#[tokio::test]
async fn a_target_that_was_truncated_on_purpose_is_loaded_again_and_proven() {
    let (db, mut hand) = shop().await;
    db.execute("truncate shop.items").await;
    assert_eq!(db.rows(DOUBTS).await, ["row count|f"]);
    db.execute("select sluice.reconcile('items', '{deleted}', 'new start')").await;
    assert_eq!(db.rows(DOUBTS).await, [] as [&str; 0]);
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    assert_eq!(db.rows(DOUBTS).await, [] as [&str; 0]);
    db.execute("delete from shop.items where id = 1").await;
    assert_eq!(db.rows(DOUBTS).await, ["row count|f"]);
}

#[tokio::test]
async fn accepting_takes_a_reason_and_known_words() {
    let (db, _hand) = shop().await;
    for (call, message, hint) in [
        ("'items', '{deleted}'", "needs a reason", "it stays in the ledger"),
        ("'items', '{deleted}', ' '", "needs a reason", "it stays in the ledger"),
        (
            "'items', '{deletd}', 'x'",
            "deletd cannot be accepted",
            "deleted, edited, unknown, foreign",
        ),
        ("'nothing'", "pipeline nothing is not defined", "items"),
    ] {
        problem(&db, &format!("select sluice.reconcile({call})")).await.refuses(message, hint);
    }
    assert_eq!(db.value("select count(*) from sluice.batches").await, "1");
}
