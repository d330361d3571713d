//! Where a pipeline may deliver.

use super::{DELIVER, STATES, put, shop};
use crate::engine::problem;
use crate::support::TestDb;

fn define(deliver: &str) -> String {
    format!(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => sluice.file_source(path => '-'), deliver => {deliver})"
    )
}

#[tokio::test]
async fn a_delivery_that_cannot_work_is_refused_with_the_way_out() {
    let (db, _) = shop("skip_known => true").await;
    db.execute(
        "create function shop.rows(r shop.items) returns setof jsonb language sql as $$ select '{}'::jsonb $$",
    )
    .await;
    for (deliver, message, hint) in [
        ("sluice.http_delivery(url => 'ftp://x')", "url cannot be", "begins with https://"),
        (
            "sluice.http_delivery(url => 'https://{id}.x/')",
            "a placeholder cannot stand in the host",
            "path",
        ),
        (
            "sluice.http_delivery(url => 'https://x/{n}')",
            "{n} in the url of deliver is not a key column",
            "the key is id",
        ),
        (
            "sluice.http_delivery(url => 'https://x', method => 'GET')",
            "method cannot be \"GET\"",
            "POST, PUT, PATCH",
        ),
        (
            "sluice.http_delivery(url => 'https://x', body => 'shop.none')",
            "the body function shop.none(shop.items) does not exist",
            "create function",
        ),
        (
            "sluice.http_delivery(url => 'https://x', body => 'shop.rows')",
            "cannot make a body",
            "returns one jsonb",
        ),
        (
            "sluice.http_delivery(url => 'https://x', headers => '{\"Authorization\": \"x\"}')",
            "keep a secret in the database",
            "bearer_auth",
        ),
        (
            "sluice.http_delivery(url => 'https://x', signature => sluice.webhook_signature())",
            "the secret is not given",
            "env",
        ),
        (
            "sluice.http_delivery(url => 'https://x', deletes => false, delete_method => 'DELETE')",
            "contradicts deletes => false",
            "leave one",
        ),
        (
            "sluice.postgres_delivery(connection => sluice.connection(env => 'CRM'), \"table\" => 'x', key => '{nr}')",
            "deliver names column nr, which shop.items does not have",
            "others take a body function",
        ),
        (
            "sluice.postgres_delivery(connection => sluice.connection(env => 'CRM'), \"table\" => 'x', columns => '{n}')",
            "the columns of deliver lack id of the key",
            "add it to columns",
        ),
        ("'{\"kind\": \"mail\"}'", "unknown delivery \"mail\"", "sluice.http_delivery(...)"),
    ] {
        problem(&db, &define(deliver)).await.refuses(message, hint);
    }
}

#[tokio::test]
async fn a_key_that_may_be_written_in_several_ways_cannot_keep_its_order() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop; create table shop.items (id interval primary key);
         create function shop.items_v1(doc jsonb) returns table (id interval) language sql stable
         as $$ select (doc->>'id')::interval $$",
    )
    .await;
    problem(&db, &define("sluice.http_delivery(url => 'https://x')"))
        .await
        .refuses("deliver does not go with key column id interval", "numbers, text");
}

#[tokio::test]
async fn the_definition_says_where_it_delivers_and_applies_as_it_is_printed() {
    let (db, _) = shop(DELIVER).await;
    let printed = db.rows("select sluice.definition('items')").await.join("\n");
    assert!(printed.contains("deliver => sluice.http_delivery(\n    url => 'https://crm.example/items/{id}',\n    method => 'PUT')"), "{printed}");
    db.execute(&format!("begin; {printed} commit")).await;
    assert_eq!(db.value("select deliver->>'method' from sluice.pipelines").await, "PUT");
}

#[tokio::test]
async fn delivery_is_switched_off_aloud_and_closes_what_was_not_sent() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    // A definition that says nothing of it leaves it as it is.
    db.execute(&define("null")).await;
    assert_eq!(db.rows(STATES).await, ["1|upsert|unsent"]);
    problem(&db, "select sluice.set_policy('items', 'deliver', 'there')")
        .await
        .refuses("deliver cannot be set to 'there'", "a definition");
    db.execute("select sluice.set_policy('items', 'deliver', 'none')").await;
    assert_eq!(db.rows(STATES).await, ["1|upsert|discarded"]);
    hand.load(&[put(2, 1)]).await;
    assert_eq!(db.rows(STATES).await.len(), 1);
    problem(&db, "select * from sluice.start_delivery('items', 'test')")
        .await
        .refuses("pipeline items delivers nowhere", "sluice.http_delivery");
}

#[tokio::test]
async fn a_dropped_pipeline_says_how_much_it_had_not_sent() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1)]).await;
    let said = db.value("select sluice.drop_pipeline('items')").await;
    assert!(said.ends_with("; 1 deliveries had not been sent"), "{said}");
    assert_eq!(db.value("select count(*) from sluice.outbox").await, "0");
}

#[tokio::test]
async fn a_key_that_may_change_under_the_key_of_the_pipeline_is_warned_of_where_nothing_is_deleted()
{
    let (db, _) = shop(DELIVER).await;
    db.execute(
        "create function shop.body_v2(r shop.items) returns jsonb language sql stable as $$ select to_jsonb(r) $$",
    )
    .await;
    let (session, notices) = db.connect_hearing().await;
    let told = async |key: &str| {
        let deliver = format!(
            "sluice.postgres_delivery(connection => sluice.connection(env => 'CRM_DB'), \"table\" => 'crm.items'{key})"
        );
        session.batch_execute(&define(&deliver)).await.unwrap();
        std::mem::take(&mut *notices.lock().unwrap()).join("\n")
    };
    let said = told(", key => '{n}', deletes => false").await;
    assert!(
        said.contains("the key of deliver has n") && said.contains("stays in crm.items"),
        "{said}"
    );
    for silent in [
        "",
        ", key => '{n}'",
        ", key => '{id}', deletes => false",
        ", key => '{n}', body => 'shop.body_v2', deletes => false",
    ] {
        let said = told(silent).await;
        assert!(!said.contains("the key of deliver"), "{said}");
    }
}
