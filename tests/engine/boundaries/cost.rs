//! What row security costs a batch.

use super::{Teams, rows};

/// Whose each pipeline is, is asked of the one at hand.
#[tokio::test]
async fn a_batch_does_not_ask_whose_all_the_other_pipelines_are() {
    let teams = Teams::new().await;
    teams
        .db
        .execute(
            "insert into sluice.pipelines (name, owner, target, source, active_version, max_bad_ratio)
             select 'p' || n, 'sluice_operator', 'bob.t' || n, p.source, 1, 1
             from sluice.pipelines p, generate_series(1, 2000) n where p.name = 'bob';
             insert into sluice.transforms
             select (jsonb_populate_record(t, jsonb_build_object('pipeline_id', p.pipeline_id))).*
             from sluice.transforms t, sluice.pipelines p where t.pipeline_id = 2 and t.version = 1 and p.pipeline_id > 2;
             insert into sluice.etl_state (pipeline_id) select pipeline_id from sluice.pipelines where pipeline_id > 2",
        )
        .await;
    teams.db.execute("analyze").await;
    let bob = teams.of("bob").await;
    let state = rows(
        &bob,
        "select run_id || ', ' || epoch || ', ' || batch_seq + 1 from sluice.start_run('bob', 'test')",
    )
    .await
    .concat();
    let batch = |n: u32| {
        format!(
            "select sluice.begin_batch('bob', {run});
             insert into pg_temp.sluice_staging (ordinal, payload)
             select n, format('{{\"id\": %s}}', n) from generate_series({n}, {n} + 99) n;
             select sluice.transform_batch();
             select sluice.load_batch({state}, '{{}}')",
            run = state.split(',').next().unwrap()
        )
    };
    bob.batch_execute(&format!("begin; {}", batch(100))).await.unwrap();
    let read = rows(
        &bob,
        "select seq_tup_read from pg_stat_xact_user_tables where relid = 'sluice.pipelines'::regclass",
    )
    .await;
    assert_eq!(read, ["0"]);
}
