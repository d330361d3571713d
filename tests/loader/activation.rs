//! Another version is activated while a run is going on.

use super::{batch, items_db, run};
use crate::support::TestDb;
use pgsluice::run::Options;

/// `upper` is version 2; version 1 waits in batch 2 for whoever holds the lock 42.
const VERSIONS: &str = "
  create or replace function shop.items_v1(doc jsonb) returns table (id bigint, name text)
  language plpgsql as $$ begin
    if doc->>'id' = '20' then perform pg_advisory_xact_lock(42); end if;
    return query select (doc->>'id')::bigint, doc->>'name';
  end $$;
  select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => 'made up by the test'));
  create function shop.items_v2(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, upper(doc->>'name') $$;
  select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => 'made up by the test'), activate => false);";

/// Activates `version` while version 1 waits in batch 2 of 6; the run goes on with it in batch 3.
pub(super) async fn activate_in_the_middle(db: &TestDb, version: i32) {
    let gate = db.connect().await;
    gate.batch_execute("begin; select pg_advisory_xact_lock(42)").await.unwrap();
    let options = Options { workers: 1, ..Options::default() };
    let running = run(db, (0..6).map(|n| batch(n, "a")).collect(), None, options);
    let release = async {
        db.wait_until(
            "select exists (select from pg_stat_activity where application_name like 'sluice items run % batch %'
               and wait_event_type = 'Lock' and datname = current_database())",
        )
        .await;
        db.execute(&format!("select sluice.activate_version('items', {version})")).await;
        gate.batch_execute("commit").await.unwrap();
    };
    let (report, ()) = tokio::join!(running, release);
    assert_eq!(report.outcome(), "ok", "{:?}", report.error);
    assert_eq!(
        db.rows("select name, count(*), min(id), max(id) from shop.items group by name order by 3")
            .await,
        ["a|30|0|29", "A|30|30|59"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_takes_effect_at_the_next_batch_of_a_run_that_is_going_on() {
    let db = items_db().await;
    db.execute(VERSIONS).await;
    activate_in_the_middle(&db, 2).await;
    assert_eq!(
        db.value("select string_agg(version::text, ',' order by batch_seq) from sluice.batches")
            .await,
        "1,1,1,2,2,2"
    );
    assert_eq!(
        db.rows("select version, state, activated_by = session_user, activated_at <= now()::timestamp from sluice.versions")
            .await,
        ["1|retired|t|t", "2|active|t|t"]
    );
    assert_eq!(db.value("select bool_and(is_ok) from sluice.verify(deep => true)").await, "t");
}
