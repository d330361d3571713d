//! Proof, and that it is one: every check can fail.

use super::{Hand, items, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
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
            "items|books|t|records: 3, batches: 3, all accounted for",
            "items|lineage|t|every row was written by a batch of the ledger",
            "items|function checksums|t|versions: 1, as registered",
        ]
    );
    problem(&db, "select * from sluice.verify('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "");
}

#[tokio::test]
async fn pipeline_that_never_ran_is_sound() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    assert_eq!(
        db.value("select bool_and(is_ok), count(*) from sluice.verify('items')")
            .await,
        "t|4"
    );
}

#[tokio::test]
async fn every_tampering_is_found_by_its_check() {
    for (tampering, check, detail) in [
        (
            "delete from sluice.batches where batch_seq = 2",
            "cursor chain",
            "follows batch number 1 with number 3",
        ),
        (
            "update sluice.batches set cursor_after = '{\"batch\": 9}' where batch_seq = 1",
            "cursor chain",
            "cursor {\"batch\": 1} follows {\"batch\": 9}",
        ),
        (
            "update sluice.batches set cursor_before = '1' where batch_seq = 1",
            "cursor chain",
            "batch",
        ),
        (
            "delete from sluice.batches where batch_seq = 1",
            "cursor chain",
            "follows batch number 0 with number 2",
        ),
        (
            "delete from sluice.batches where batch_seq = 3",
            "cursor chain",
            "the ledger ends at batch number 2",
        ),
        (
            "delete from sluice.batches",
            "cursor chain",
            "the state at 3",
        ),
        (
            "update sluice.etl_state set batch_seq = 4",
            "cursor chain",
            "the state at 4",
        ),
        (
            "update sluice.etl_state set cursor = null",
            "cursor chain",
            "the ledger ends",
        ),
        (
            "alter table sluice.batches drop constraint batches_records_are_accounted_for; update sluice.batches set extracted = 7 where batch_seq = 2",
            "books",
            "extracted=7",
        ),
        (
            "alter table sluice.batches drop constraint batches_rows_are_accounted_for; update sluice.batches set produced = 7 where batch_seq = 2",
            "books",
            "produced=7",
        ),
        (
            "update sluice.runs set extracted = 2, transformed = 2",
            "books",
            "run 1: its totals are not the sums",
        ),
        (
            "update sluice.runs set unchanged = 1",
            "books",
            "run 1: its totals are not the sums",
        ),
        (
            "update sluice.runs set filtered = 1",
            "books",
            "run 1: its totals are not the sums",
        ),
        (
            "update sluice.runs set batches = 4",
            "books",
            "run 1: its totals are not the sums",
        ),
        (
            "update shop.items set sluice_batch = 12345 where id = 2",
            "lineage",
            "1 rows name a batch that is not in the ledger: 12345",
        ),
        (
            "delete from sluice.batches where batch_seq = 2",
            "lineage",
            "1 rows name a batch that is not in the ledger",
        ),
        (
            "drop table shop.items",
            "lineage",
            "shop.items is not there",
        ),
        (
            "create or replace function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as 'select 1::bigint'",
            "function checksums",
            "version 1: shop.items_v1(jsonb) is not what was registered",
        ),
        (
            "drop function shop.items_v1",
            "function checksums",
            "version 1: shop.items_v1(jsonb) is not what was registered",
        ),
        (
            "update sluice.transforms set sha256 = md5('x')",
            "function checksums",
            "version 1: shop.items_v1(jsonb) is not what was registered",
        ),
    ] {
        let db = shop().await;
        db.execute(tampering).await;
        let found = db
            .rows("select check_name, detail from sluice.verify('items') where not is_ok")
            .await;
        assert!(
            found
                .iter()
                .any(|line| line.starts_with(check) && line.contains(detail)),
            "{tampering}: {found:?}"
        );
    }
}

#[tokio::test]
async fn lineage_of_a_target_one_may_not_read_is_not_guessed() {
    let db = shop().await;
    db.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'engine_auditor') then create role engine_auditor in role sluice_operator; end if;
           exception when duplicate_object or unique_violation then null; end $$; grant usage on schema shop to engine_auditor",
    )
    .await;
    let session = db.connect().await;
    session
        .batch_execute("set role engine_auditor")
        .await
        .unwrap();
    assert_eq!(
        crate::support::db::rows(
            &session,
            "select is_ok, detail from sluice.verify('items') where check_name = 'lineage'"
        )
        .await,
        ["t|not checked: engine_auditor may not read shop.items"]
    );
}
