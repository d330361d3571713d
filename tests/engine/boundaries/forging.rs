//! What its own owner cannot write: the ledger, the history, registered versions, who did what.

use super::{Teams, rows};

#[tokio::test]
async fn the_owner_cannot_forge_ledger_history_versions_or_names() {
    let teams = Teams::new().await;
    let bob = teams.of("bob").await;
    let before = teams.everything_of_bob().await;
    for (sql, said) in [
        ("update sluice.batches set inserted = 0, unchanged = 1", "permission denied"),
        ("delete from sluice.batches", "permission denied"),
        ("delete from sluice.runs", "permission denied"),
        ("delete from sluice.quarantine", "permission denied"),
        ("delete from sluice.quarantine_events", "permission denied"),
        ("update sluice.quarantine_events set done_by = 'alice'", "permission denied"),
        ("update sluice.activations set activated_by = 'alice'", "permission denied"),
        ("delete from sluice.transforms", "permission denied"),
        ("delete from sluice.etl_state", "permission denied"),
        ("update sluice.engine set version = '9'", "permission denied"),
        ("select setval('sluice.batch_id', 1)", "permission denied"),
        ("update sluice.etl_state set cursor = '{}'", "moves with an entry of the ledger"),
        (
            "update sluice.etl_state set batch_seq = batch_seq + 1",
            "moves with an entry of the ledger",
        ),
        ("update sluice.etl_state set epoch = 0", "moves with an entry of the ledger"),
        ("update sluice.runs set started_by = 'alice'", "permission denied"),
        (
            "update sluice.transforms set function = 'alice.items_v1(jsonb)'",
            "has loaded batches and stays as it is",
        ),
        ("update sluice.transforms set sha256 = 'x'", "has loaded batches and stays as it is"),
        (
            "update sluice.transforms set first_used_at = null",
            "has loaded batches and stays as it is",
        ),
        ("update sluice.transforms set defined_by = 'alice'", "permission denied"),
        ("update sluice.quarantine set payload = 'x'", "in its history first"),
        ("update sluice.quarantine set original_payload = null", "what the source delivered"),
        ("update sluice.pipelines set name = 'other'", "permission denied"),
        ("update sluice.pipelines set created_by = 'alice'", "permission denied"),
        (
            "select nextval('sluice.batch_id'); insert into sluice.batches select (jsonb_populate_record(b, '{\"batch_id\": 99}')).* from sluice.batches b limit 1",
            "row-level security policy",
        ),
        ("insert into sluice.raw_days values (2, '2020-01-01')", "row-level security policy"),
        ("update sluice.raw_days set retained_on = current_date", "permission denied"),
        (
            "update sluice.quarantine set status = 'discarded', closed_at = now(), closed_by = 'alice' where quarantine_id = 1",
            "in its history first",
        ),
        (
            "update sluice.quarantine set closed_by = 'alice' where quarantine_id = 2",
            "in its history first",
        ),
        (
            "insert into sluice.also_targets select (jsonb_populate_record(a, '{\"version\": 1}')).* from sluice.also_targets a",
            "row-level security policy",
        ),
    ] {
        let error = bob.batch_execute(sql).await.err();
        let error = error.unwrap_or_else(|| panic!("done: {sql}"));
        let problem = super::Problem::of(&error);
        assert!(problem.message.contains(said), "{sql}: {problem:?}");
    }
    assert_eq!(teams.everything_of_bob().await, before);
    assert_eq!(
        rows(
            &bob,
            "select check_name, detail from sluice.verify('bob', deep => true) where not is_ok"
        )
        .await,
        [""; 0]
    );
}

#[tokio::test]
async fn nobody_adds_to_history_under_another_name_or_time() {
    let teams = Teams::new().await;
    let bob = teams.of("bob").await;
    let before = teams.everything_of_bob().await;
    for (table, columns, values, by, at) in [
        ("activations", "pipeline_id, version", "2, 1", "activated_by", "activated_at"),
        ("quarantine_events", "quarantine_id, event", "1, 'discarded'", "done_by", "happened_at"),
        ("quarantine_events", "quarantine_id, event", "1, 'quarantined'", "done_by", "happened_at"),
        ("runs", "pipeline_id, epoch, loader", "2, 99, 'x'", "started_by", "started_at"),
        ("unknown_batches", "target, batch_ids", "'bob.items', '{[1,2)}'", "noted_by", "noted_at"),
        (
            "batches",
            "batch_id, pipeline_id, kind, version, started_at",
            "nextval('sluice.batch_id'), 2, 'replay', 1, now()",
            "recorded_by",
            "committed_at",
        ),
    ] {
        for (signed, signature) in [(by, "'alice'"), (at, "'2020-01-01'"), (at, "'2100-01-01'")] {
            let sql = format!(
                "insert into sluice.{table} ({columns}, {signed}) values ({values}, {signature})"
            );
            let refused = bob.batch_execute(&sql).await.expect_err(&sql);
            super::Problem::of(&refused).is("42501", "new row violates row-level security policy");
        }
        // As himself, now.
        let own =
            format!("begin; insert into sluice.{table} ({columns}) values ({values}); rollback");
        bob.batch_execute(&own).await.expect(&own);
    }
    assert_eq!(teams.everything_of_bob().await, before);
}

/// The server's clock was put right: what is added bears the time of what is there already.
#[tokio::test]
async fn a_ledger_ahead_of_the_clock_stops_nobody() {
    let teams = Teams::new().await;
    teams
        .db
        .execute("update sluice.batches set committed_at = committed_at + interval '1 day'")
        .await;
    let bob = teams.of("bob").await;
    bob.batch_execute(
        "select sluice.rewind('bob', to_start => true); select * from sluice.start_run('bob', 'x')",
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn a_run_that_has_ended_stays_as_it_was_noted() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    let bob = teams.of("bob").await;
    bob.batch_execute("update sluice.runs set outcome = 'ok', error = null where run_id = 1")
        .await
        .unwrap();
    assert_eq!(teams.everything_of_bob().await, before);
}

/// They make and drop tables with the rights of the engine's owner, for whatever row they fire.
#[tokio::test]
async fn triggers_of_retained_payloads_cannot_be_put_on_tables_of_ones_own() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    for (event, function) in [("delete", "_drop_raw_table"), ("insert", "_make_raw_table")] {
        let refused = teams
            .says(
                "alice",
                &format!(
                    "create table alice.days as select 2 as pipeline_id, current_date as retained_on;
                     create trigger days before {event} on alice.days for each row execute function sluice.{function}()"
                ),
            )
            .await
            .unwrap();
        refused.is("42501", "permission denied for function");
    }
    assert_eq!(teams.everything_of_bob().await, before);
}

#[tokio::test]
async fn a_target_cannot_use_up_the_numbers_of_batches() {
    let teams = Teams::new().await;
    let define = "alter table alice.more add column sluice_hash bytea, add column sluice_batch bigint;
      insert into alice.more values (1, 'x', null, %);
      select sluice.define_pipeline(name => 'more', version => 1, transform => 'alice.items_v1', target => 'alice.more',
        key => '{id}', source => sluice.file_source(path => '-'))";
    let alice = teams.of("alice").await;
    alice
        .batch_execute("create table alice.more (id bigint primary key, note text)")
        .await
        .unwrap();
    let refused = alice.batch_execute(&define.replace('%', "9223372036854775807")).await;
    super::Problem::of(&refused.unwrap_err())
        .refuses("target alice.more names batch 9223372036854775807", "set sluice_batch = null");
    // Those of a copy are passed over, as ever.
    alice.batch_execute(&define.replace('%', "1000")).await.unwrap();
    assert_eq!(teams.db.value("select nextval('sluice.batch_id') > 1000").await, "t");
}

#[tokio::test]
async fn a_backfill_of_somebody_elses_pipeline_and_a_batch_of_their_run_are_refused() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    for (sql, said) in [
        ("insert into sluice.pipelines (name, target, source, active_version, max_bad_ratio, backfill_of, backfill_range)
          values ('spy', 'alice.items', '{}', 1, 1, 2, '{}')", "row-level security policy"),
        ("select nextval('sluice.batch_id');
          insert into sluice.batches (batch_id, pipeline_id, kind, version, run_id, started_at, extracted, filtered)
          values (currval('sluice.batch_id'), 1, 'replay', 1, 1, now(), 7, 7)", "row-level security policy"),
    ] {
        let said_so = teams.says("alice", sql).await.unwrap();
        assert!(said_so.message.contains(said), "{said_so:?}");
    }
    assert_eq!(teams.everything_of_bob().await, before);
}
