//! Forgetting a pipeline.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

#[tokio::test]
async fn everything_of_the_pipeline_goes_and_the_target_stays() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#, "bad"]).await;
    db.execute("insert into sluice.source_objects select pipeline_id, 'a', '{}', '0', true, 1 from sluice.pipelines").await;
    let said = db.value("select sluice.drop_pipeline('items')").await;
    assert!(said.contains("shop.items keeps its rows"), "{said}");
    for table in [
        "pipelines",
        "transforms",
        "etl_state",
        "runs",
        "batches",
        "quarantine",
        "source_objects",
    ] {
        assert_eq!(
            db.value(&format!("select count(*) from sluice.{table}"))
                .await,
            "0",
            "{table}"
        );
    }
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
    hand.fail(&[r#"{"id": 2}"#]).await.refuses(
        "pipeline items is not defined",
        "no pipeline is defined yet",
    );
    problem(&db, "select sluice.drop_pipeline('items')")
        .await
        .refuses("pipeline items is not defined", "");
}

#[tokio::test]
async fn batch_in_flight_of_a_dropped_pipeline_cannot_commit() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    db.execute("select sluice.drop_pipeline('items')").await;
    crate::engine::Problem::of(&hand.merge().await.unwrap_err())
        .is("SL001", "deposed: the pipeline was dropped");
}

#[tokio::test]
async fn name_can_be_defined_anew_and_does_not_inherit() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    db.execute(
        "select sluice.drop_pipeline('items');
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    assert_eq!(
        db.value("select batch_seq, cursor from sluice.etl_state")
            .await,
        "0|-"
    );
    assert_eq!(
        Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    // Rows of the ledger that went are no sign of tampering.
    assert_eq!(
        db.value("select bool_and(is_ok) from sluice.verify('items')")
            .await,
        "t"
    );
}
