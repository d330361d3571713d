//! What keeps a pipeline from running, found by whoever asks.

use crate::engine::items_of_ids;
use crate::support::TestDb;
use crate::support::db::rows;

async fn shop() -> TestDb {
    let db = items_of_ids().await;
    db.execute(
        "do $$ begin create role engine_loader in role sluice_operator;
         exception when duplicate_object or unique_violation then null; end $$;
         update sluice.pipelines set owner = 'sluice_operator'",
    )
    .await;
    db
}

/// What it tells a member of sluice_operator about the pipeline.
async fn told(db: &TestDb) -> Vec<String> {
    let session = db.connect().await;
    session.batch_execute("set role engine_loader").await.unwrap();
    rows(
        &session,
        "select verdict, detail, next from sluice.doctor() where \"check\" = 'pipeline items'",
    )
    .await
}

#[tokio::test]
async fn missing_rights_are_named_with_the_grant_that_mends_them() {
    let db = shop().await;
    for _ in 0..4 {
        let found = told(&db).await;
        if found == ["ok|fits its target|-"] {
            return;
        }
        for line in found {
            let grant = line.rsplit('|').next().unwrap();
            assert!(line.starts_with("fail|") && grant.starts_with("grant "), "{line}");
            db.execute(grant).await;
        }
    }
    panic!("{:?}", told(&db).await);
}

#[tokio::test]
async fn the_query_of_for_each_and_the_body_of_deliveries_are_part_of_what_is_needed() {
    let db = shop().await;
    db.execute(
        "create schema lists; create table lists.parents (id bigint); revoke execute on function shop.items_v1 from public;
         create schema crm; create function crm.body_v1(r shop.items) returns jsonb language sql stable as $$ select to_jsonb(r) $$;
         revoke execute on function crm.body_v1 from public;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', deliver => sluice.http_delivery(url => 'https://crm.example/', body => 'crm.body_v1'),
           source => sluice.http_source(url => 'https://shop.example/{id}', for_each => 'select id from lists.parents'))",
    )
    .await;
    let mut said = Vec::new();
    for _ in 0..6 {
        for line in told(&db).await {
            let grant = line.rsplit('|').next().unwrap();
            if grant.starts_with("grant ") {
                db.execute(grant).await;
            }
            said.push(line);
        }
    }
    for line in [
        "fail|permission denied for schema lists in for_each|grant usage on schema lists to engine_loader",
        "fail|permission denied for table parents in for_each|grant select on lists.parents to engine_loader",
        "fail|no usage on schema crm|grant usage on schema crm to engine_loader",
        "fail|may not call crm.body_v1(shop.items), which makes what is delivered|grant execute on function crm.body_v1(shop.items) to engine_loader",
    ] {
        assert!(said.iter().any(|said| said == line), "{line}\n{said:#?}");
    }
    assert_eq!(told(&db).await, ["ok|fits its target|-"], "{said:#?}");
    db.execute("alter table lists.parents rename to children").await;
    assert_eq!(
        told(&db).await,
        [
            "fail|42P01 relation \"lists.parents\" does not exist in for_each|correct it in the source of the pipeline, with the name of its schema before each table"
        ]
    );
    db.execute(
        "alter table lists.children rename to parents;
         create or replace function crm.body_v1(r shop.items) returns jsonb language sql stable as $$ select '{}'::jsonb $$",
    )
    .await;
    let found = told(&db).await;
    assert!(
        found[0].starts_with(
            "fail|SL006 pipeline items: the body function crm.body_v1(shop.items) is not what"
        ),
        "{found:?}"
    );
}

#[tokio::test]
async fn row_security_and_a_lost_transform_fail() {
    let db = shop().await;
    db.execute("grant usage on schema shop to engine_loader; grant select, insert, update on shop.items to engine_loader;").await;
    assert_eq!(told(&db).await, ["ok|fits its target|-"]);
    db.execute("alter table shop.items enable row level security").await;
    let found = told(&db).await;
    assert!(
        found[0].starts_with("fail|row security of shop.items applies to engine_loader"),
        "{found:?}"
    );
    db.execute("alter table shop.items disable row level security; drop function shop.items_v1")
        .await;
    let found = told(&db).await;
    assert!(
        found[0].starts_with(
            "fail|SL006 pipeline items: transform shop.items_v1(jsonb) was dropped|put the"
        ),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_target_that_is_gone_is_a_finding_like_others() {
    let db = shop().await;
    let table = (
        "table shop.items",
        "table shop.moved",
        "SL005 pipeline items: target shop.items does not exist",
    );
    let schema = (
        "schema shop",
        "schema moved",
        "SL006 pipeline items: transform shop.items_v1(jsonb) was dropped",
    );
    for ((there, moved, says), back) in [(table, "items"), (schema, "shop")] {
        db.execute(&format!("alter {there} rename to moved")).await;
        assert_eq!(
            db.rows(
                "select verdict, detail from sluice.doctor() where \"check\" = 'pipeline items'"
            )
            .await,
            [format!("fail|{says}")]
        );
        db.execute(&format!("alter {moved} rename to {back}")).await;
    }
}

#[tokio::test]
async fn a_superuser_is_warned_before_it_runs_code_of_others() {
    let db = shop().await;
    let told = "select verdict, detail from sluice.doctor() where \"check\" = 'pipeline items'";
    assert_eq!(db.value(told).await, "ok|fits its target");
    db.execute("alter table shop.items owner to engine_loader").await;
    assert_eq!(
        db.value(told).await,
        "warn|a superuser would run code of engine_loader: the transform, triggers, defaults"
    );
}

#[tokio::test]
async fn a_session_that_only_reads_is_a_failure() {
    let db = shop().await;
    let session = db.connect().await;
    session.batch_execute("set default_transaction_read_only = on").await.unwrap();
    assert_eq!(
        rows(&session, "select verdict, detail from sluice.doctor() where \"check\" = 'read only'")
            .await,
        ["fail|on: sessions begin read only, so that no batch commits"]
    );
}
