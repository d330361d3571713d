//! Fields that come and go.

use crate::engine::{Hand, numbers, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db
}

const DRIFT: &str = "select field, state, is_read from sluice.drift('items')";

#[tokio::test]
async fn fields_are_new_or_gone_against_the_runs_before() {
    let db = shop().await;
    assert_eq!(db.rows(DRIFT).await, [] as [&str; 0]);
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1, "city": "Kiel"}"#]).await;
    // Of a first run everything is new, and so nothing is.
    assert_eq!(db.rows(DRIFT).await, [] as [&str; 0]);
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 2, "town": "Kiel"}"#]).await;
    hand.load(&[r#"{"id": 3, "town": "Kiel"}"#]).await;
    assert_eq!(db.rows(DRIFT).await, ["n|gone|t", "city|gone|f", "town|new|f"]);
    assert_eq!(
        db.rows("select field from sluice.drift('items', all_fields => true) order by 1").await,
        ["city", "id", "n", "town"]
    );
    // A run without records says nothing of them.
    Hand::start(&db).await;
    assert_eq!(db.rows(DRIFT).await.len(), 3);
    assert_eq!(
        db.rows("select field from sluice.drift('items', since => '0')").await,
        [] as [&str; 0]
    );
    problem(&db, "select sluice.drift('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "items");
}

#[tokio::test]
async fn records_that_are_no_objects_or_bad_stop_nothing() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&["[1]", "7", "no json", r#"{"id": "x"}"#, r#"{"id": 1}"#]).await;
    assert_eq!(
        db.rows("select field from sluice.drift('items', all_fields => true)").await,
        ["id"]
    );
}

#[tokio::test]
async fn records_that_are_maps_fill_no_table() {
    let db = shop().await;
    let fields: Vec<String> = (0..1500).map(|n| format!("\"k{n}\": {n}")).collect();
    let record = format!("{{\"id\": 1, {}}}", fields.join(", "));
    Hand::start(&db).await.load(std::slice::from_ref(&record)).await;
    Hand::start(&db).await.load(&[record]).await;
    let count: i64 = db.value("select count(*) from sluice.record_fields").await.parse().unwrap();
    assert!(count <= 2 * 1501, "{count}");
}

/// What a batch says that has read these files, with these columns, after one with those.
async fn note(hand: &mut Hand, files: &[(&str, &str)]) -> String {
    let objects: Vec<String> = files
        .iter()
        .map(|(file, columns)| {
            format!(r#"{{"object": "{file}", "identity": {{}}, "position": {{"columns": [{columns}]}}, "is_done": true}}"#)
        })
        .collect();
    hand.stage::<&str>(&[]).await.unwrap();
    hand.transform().await.unwrap();
    let row = hand
        .session
        .query_typed_one(
            &format!(
                "select coalesce(note, '-') from sluice.load_batch({}, {}, {}, '{{\"object\": \"{}\"}}', '[{}]')",
                hand.run,
                hand.epoch,
                hand.seq + 1,
                files.last().unwrap().0,
                objects.join(", ")
            ),
            &[],
        )
        .await
        .unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    row.get(0)
}

#[tokio::test]
async fn a_header_that_lost_a_column_is_told_from_file_to_file() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        note(&mut hand, &[("a.csv", r#""id", "Région""#), ("b.csv", r#""Région", "id", "x""#)])
            .await,
        "-"
    );
    // The file before may be of an earlier batch.
    assert_eq!(
        note(&mut hand, &[("c.csv", r#""id", "Region", "x""#)]).await,
        "c.csv has no column Région, which b.csv had; new is Region"
    );
    assert_eq!(
        note(&mut hand, &[("d.csv", r#""id""#), ("e.csv", r#""x""#)]).await,
        "d.csv has no column Region, x, which c.csv had (and 1 more)"
    );
    assert_eq!(note(&mut hand, &[("e.csv", r#""x""#)]).await, "-");
    assert_eq!(db.value("select count(*) from sluice.batches where note is not null").await, "2");
}
