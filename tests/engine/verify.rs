//! Proof, and that it is one: every check can fail.

mod damage;
mod deep;
mod history;
mod reconcile;

use super::{Hand, items_of_ids, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
    let db = items_of_ids().await;
    let mut hand = Hand::start(&db).await;
    for id in 1..=3 {
        hand.load(&[format!(r#"{{"id": {id}}}"#)]).await;
    }
    db
}

#[tokio::test]
async fn sound_pipeline_passes_every_check() {
    let db = shop().await;
    assert_eq!(
        db.rows("select * from sluice.verify()").await,
        [
            "items|cursor chain|t|batches: 3, unbroken",
            "items|objects|t|the source has none",
            "items|books|t|records: 3, batches: 3, all accounted for",
            "items|quarantine|t|open: 0, closed: 0",
            "items|lineage|t|every row was written by a batch of the ledger",
            "items|tombstones|t|no key of the target was deleted",
            "items|function checksums|t|versions: 1, as registered",
        ]
    );
    assert_eq!(
        db.rows(
            "select check_name, is_ok, detail from sluice.verify('items', deep => true) offset 7"
        )
        .await,
        [
            "row count|t|rows: 3, inserted less deleted: 3",
            "row hashes|t|rows: 3, none was edited behind the tool's back",
        ]
    );
    problem(&db, "select * from sluice.verify('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "");
}

#[tokio::test]
async fn pipeline_that_never_ran_is_sound() {
    let db = items_of_ids().await;
    assert_eq!(
        db.value("select bool_and(is_ok), count(*) from sluice.verify('items', deep => true)")
            .await,
        "t|9"
    );
}

#[tokio::test]
async fn what_one_may_not_read_is_not_guessed() {
    let db = shop().await;
    db.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'engine_auditor') then create role engine_auditor in role sluice_operator; end if;
           exception when duplicate_object or unique_violation then null; end $$;
         update sluice.pipelines set owner = 'sluice_operator'",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role engine_auditor").await.unwrap();
    assert_eq!(
        crate::support::db::rows(
            &session,
            "select check_name, is_ok, detail from sluice.verify('items', deep => true) where detail ~ 'checked'"
        )
        .await,
        [
            "lineage|-|not checked: engine_auditor may not read shop.items",
            "row count|-|not checked: engine_auditor may not read shop.items",
            "row hashes|-|not checked: engine_auditor may not read shop.items",
        ]
    );
}
