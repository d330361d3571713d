//! What is retained of a backfill belongs to its pipeline, and is as old as the backfill's records.

use super::{Hand, ROWS, problem, shop, start};

#[tokio::test]
async fn payloads_of_a_backfill_are_those_of_its_pipeline() {
    let db = shop(", retain_raw => '7 days'").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 10}"#]).await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    assert_eq!(
        db.rows("select payload from sluice.raw_records('items') order by batch, ordinal").await,
        [r#"{"id": 1, "n": 10}"#, r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]
    );
    assert_eq!(
        db.rows("select pipeline_name, batches, records from sluice.retained()").await,
        ["items|2|3"]
    );
    assert_eq!(
        db.rows(r#"select value from sluice.why('items', '{"id": 2}') where fact in ('pipeline', 'source', 'payload')"#)
            .await,
        ["items.backfill-1", "hand:2", r#"{"id": 2, "n": 2}"#]
    );
    assert_eq!(
        db.rows("select outcome_a, outcome_b, is_same, records from sluice.compare('items', 1, 1)")
            .await,
        ["unchanged|unchanged|t|2", "stale|stale|t|1"]
    );
    // Reloaded, in whatever order, they stay older than what the pipeline itself has read.
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'n')::integer + 100 $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => 'drop'), max_bad_ratio => 1, retain_raw => '7 days', activate => false)",
    )
    .await;
    for (batch, rows) in
        [("max", ["1|10", "2|102"]), ("min", ["1|110", "2|102"]), ("max", ["1|110", "2|102"])]
    {
        db.execute(&format!(
            "select sluice.reload('items', array[(select {batch}(batch_id) from sluice.batches where kind = 'load')], version => 2)"
        ))
        .await;
        assert_eq!(db.rows(ROWS).await, rows, "{batch}");
    }
    db.execute("select sluice.reload('items', from_batch => 1)").await;
    assert_eq!(db.rows(ROWS).await, ["1|10", "2|2"]);
    db.is_sound().await;
    for call in [
        "raw_records('items.backfill-1')",
        "why('items.backfill-1', '{\"id\": 2}')",
        "compare('items.backfill-1', 1, 2)",
        "reload('items.backfill-1', from_batch => 1)",
    ] {
        problem(&db, &format!("select sluice.{call}"))
            .await
            .refuses("items.backfill-1 is a backfill of pipeline items", "");
    }
    db.execute("select sluice.drop_pipeline('items')").await;
    assert_eq!(
        db.rows("select relname from pg_class where relname ~ '^raw_[0-9]' and relkind = 'r'")
            .await,
        Vec::<String>::new()
    );
}
