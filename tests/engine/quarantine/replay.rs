//! Quarantined records once more, by the way every batch goes.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

pub(super) const BY_ARRIVAL: &str = "key => '{id}'";
const BY_TIME: &str = "key => '{id}', order_by => 'at'";

pub(super) async fn shop(options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0), at integer",
        "id bigint, n integer, at integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer",
        options,
    )
    .await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

/// Version 2 also reads "seven" and "eight".
pub(super) async fn register_version_2(db: &TestDb, options: &str) {
    db.execute(&format!(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer, at integer) language sql stable as $$
           select (doc->>'id')::bigint, case doc->>'n' when 'seven' then 7 when 'eight' then 8 else (doc->>'n')::integer end, (doc->>'at')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, activate => false, {options})"
    ))
    .await;
}

/// Replays and returns the counters that are not zero, a line a batch.
pub(super) async fn replay(db: &TestDb, arguments: &str) -> Vec<String> {
    db.rows(&format!(
        "select string_agg(c.key || '=' || c.value, ' ' order by c.n)
         from sluice.replay('items'{arguments}) with ordinality r,
           lateral (select key, value, ordinality as n from json_each_text(to_json(r)) with ordinality) c
         where c.value <> '0' and c.key not in ('batch', 'version_used', 'ordinality')
         group by r.ordinality order by r.ordinality"
    ))
    .await
}

async fn table(db: &TestDb) -> Vec<String> {
    db.rows("select id, n, at from shop.items order by id").await
}

/// Nothing is out of balance, and closed records name batches of the ledger.
pub(super) async fn assert_proven(db: &TestDb) {
    assert_eq!(
        db.rows("select check_name, detail from sluice.verify() where not is_ok
                 union all
                 select 'resolved', quarantine_id::text from sluice.quarantine
                 where resolved_batch_id is not null and resolved_batch_id not in (select batch_id from sluice.batches)")
            .await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn what_loads_is_closed_and_names_its_batch_and_version() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[
        r#"{"id": 1, "n": "seven"}"#,
        r#"{"id": 2, "n": 0}"#,
        r#"{"id": 3, "n": "nine"}"#,
        r#"{"id": 4, "n": 4}"#,
    ])
    .await;
    register_version_2(&db, BY_ARRIVAL).await;
    assert_eq!(
        replay(&db, ", version => 2, filter => $$ sqlstate = '22P02' $$").await,
        ["replayed=1 quarantined=1 inserted=1"]
    );
    assert_eq!(table(&db).await, ["1|7|-", "4|4|-"]);
    assert_eq!(
        db.rows("select q.quarantine_id, q.status, q.version, q.sqlstate, b.kind, b.version, b.batch_seq, q.closed_by = session_user
                 from sluice.quarantine q left join sluice.batches b on b.batch_id = q.resolved_batch_id order by 1")
            .await,
        [
            "1|replayed|1|22P02|replay|2|-|t",
            "2|open|1|23514|-|-|-|-",
            "3|open|2|22P02|-|-|-|-",
        ]
    );
    assert_eq!(
        db.value("select extracted, transformed, quarantined, produced, inserted, run_id, cursor_after from sluice.batches where kind = 'replay'").await,
        "2|1|1|1|1|-|-"
    );
    // The version has written rows: it cannot be changed any more.
    problem(&db, "create or replace function shop.items_v2(doc jsonb) returns table (id bigint, n integer, at integer) language sql stable as $$ select 1, 2, 3 $$;
        select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => '-'), key => '{id}')")
        .await
        .refuses("version 2 has loaded batches and cannot be changed", "name it v3");
    assert_eq!(db.value("select active_version from sluice.pipelines").await, "1");
}

#[tokio::test]
async fn what_is_still_bad_keeps_its_history() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    replay(&db, "").await;
    db.value(
        r#"select sluice.amend(id, '{"id": 1, "n": 0}', 'a guess') from sluice.quarantine_open"#,
    )
    .await;
    replay(&db, "").await;
    db.value(
        r#"select sluice.amend(id, '{"id": 1, "n": 7}', 'asked the shop') from sluice.quarantine_open"#,
    )
    .await;
    assert_eq!(replay(&db, "").await, ["replayed=1 inserted=1"]);
    assert_eq!(
        db.rows("select event, version, sqlstate, \"constraint\", message, payload_before from sluice.quarantine_history_details").await,
        [
            "quarantined|1|22P02|-|invalid input syntax for type integer: \"seven\"|-",
            "failed|1|22P02|-|invalid input syntax for type integer: \"seven\"|-",
            r#"amended|-|-|-|a guess|{"id": 1, "n": "seven"}"#,
            "failed|1|23514|items_n_check|new row for relation \"items\" violates check constraint \"items_n_check\"|-",
            r#"amended|-|-|-|asked the shop|{"id": 1, "n": 0}"#,
            "replayed|1|-|-|-|-",
        ]
    );
    assert_eq!(
        db.value("select convert_from(payload, 'UTF8'), convert_from(original_payload, 'UTF8'), seen_count from sluice.quarantine").await,
        r#"{"id": 1, "n": 7}|{"id": 1, "n": "seven"}|1"#
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn older_record_never_overwrites_a_newer_row_by_order_by() {
    let (db, mut hand) = shop(BY_TIME).await;
    hand.load(&[
        r#"{"id": 1, "n": "seven", "at": 10}"#,
        r#"{"id": 2, "n": "seven", "at": 10}"#,
        r#"{"id": 3, "n": "seven", "at": 10}"#,
    ])
    .await;
    hand.load(&[r#"{"id": 1, "n": 1, "at": 11}"#, r#"{"id": 2, "n": 2, "at": 9}"#]).await;
    register_version_2(&db, BY_TIME).await;
    assert_eq!(replay(&db, ", version => 2").await, ["replayed=3 inserted=1 updated=1 stale=1"]);
    assert_eq!(table(&db).await, ["1|1|11", "2|7|10", "3|7|10"]);
    assert_proven(&db).await;
}

#[tokio::test]
async fn older_record_never_overwrites_a_newer_row_by_arrival() {
    for options in [BY_ARRIVAL, BY_TIME] {
        let (db, mut hand) = shop(options).await;
        hand.load(&[r#"{"id": 2, "n": 2}"#]).await;
        hand.load(&[r#"{"id": 1, "n": "seven"}"#, r#"{"id": 2, "n": "seven"}"#]).await;
        hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
        register_version_2(&db, options).await;
        // What came after it stays; what came before it is overwritten.
        assert_eq!(
            replay(&db, ", version => 2").await,
            ["replayed=2 updated=1 stale=1"],
            "{options}"
        );
        assert_eq!(table(&db).await, ["1|1|-", "2|7|-"], "{options}");
        // Told to overwrite what may be older, it does not overwrite what is newer.
        db.execute("update sluice.quarantine set status = 'open', closed_at = null, resolved_batch_id = null")
            .await;
        replay(&db, ", version => 2, overwrite_unsure => true").await;
        assert_eq!(table(&db).await, ["1|1|-", "2|7|-"], "{options}");
    }
}

/// As if the server's clock had gone back by two hours, or another server with such a clock had taken over.
async fn set_back_the_clock(db: &TestDb) {
    db.execute(
        "update sluice.batches set committed_at = committed_at + interval '2 hours';
         update sluice.runs set started_at = started_at + interval '2 hours';
         update sluice.quarantine set last_seen_at = last_seen_at + interval '2 hours'",
    )
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_makes_no_record_newer_than_what_came_after_it() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#, r#"{"id": 2, "n": "seven"}"#]).await;
    set_back_the_clock(&db).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    let one = ", quarantine_ids => '{1}', version => 2";
    assert_eq!(replay(&db, one).await, ["replayed=1 stale=1"]);
    assert_eq!(table(&db).await, ["1|1|-"]);
    // What is read again and loads is closed.
    db.execute("select sluice.activate_version('items', 2); select sluice.rewind('items', to_start => true)")
        .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 2, "n": "seven"}"#]).await;
    assert_eq!(
        db.rows("select quarantine_id, status from sluice.quarantine order by 1").await,
        ["1|replayed", "2|loaded"]
    );
    let order = "select string_agg(batch_id::text, ',' order by batch_id) = string_agg(batch_id::text, ',' order by committed_at) from sluice.batches";
    assert_eq!(db.value(order).await, "t");
    assert_proven(&db).await;
}

#[tokio::test]
async fn record_stays_open_where_nobody_can_tell_whether_the_row_is_newer() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    // It may have been this very row that came again, unchanged.
    hand.load(&[r#"{"id": 2, "n": 2}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    assert_eq!(replay(&db, ", version => 2").await, ["unsure=1 stale=1"]);
    assert_eq!(
        db.rows("select event from sluice.quarantine_history_details").await,
        ["quarantined", "unsure"]
    );
    assert_eq!(table(&db).await, ["1|1|-", "2|2|-"]);
    assert_eq!(
        replay(&db, ", version => 2, overwrite_unsure => true").await,
        ["replayed=1 updated=1"]
    );
    assert_eq!(table(&db).await, ["1|7|-", "2|2|-"]);
    // A row of another writer has no date either, nor has one of the same batch an order.
    hand.load(&[
        r#"{"id": 3, "n": "seven"}"#,
        r#"{"id": 4, "n": "seven"}"#,
        r#"{"id": 4, "n": 4}"#,
    ])
    .await;
    db.execute("insert into shop.items values (3, 3)").await;
    assert_eq!(replay(&db, ", version => 2").await, ["unsure=2 stale=2"]);
    assert_proven(&db).await;
}

#[tokio::test]
async fn records_replayed_in_any_order_end_as_they_arrived() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    hand.load(&[r#"{"id": 1, "n": "eight"}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    // The later first, in one replay; then the earlier, in another.
    assert_eq!(
        replay(&db, ", version => 2, filter => $$ payload like '%eight%' $$").await,
        ["replayed=1 inserted=1"]
    );
    assert_eq!(replay(&db, ", version => 2").await, ["replayed=1 stale=1"]);
    assert_eq!(table(&db).await, ["1|8|-"]);
    // Both at once, in one batch and in two.
    for batch_rows in [1, 10] {
        let (db, mut hand) = shop(BY_ARRIVAL).await;
        hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
        hand.load(&[r#"{"id": 1, "n": "eight"}"#]).await;
        register_version_2(&db, BY_ARRIVAL).await;
        replay(&db, &format!(", version => 2, batch_rows => {batch_rows}")).await;
        assert_eq!(table(&db).await, ["1|8|-"], "{batch_rows}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_stay_until_they_are_amended() {
    let (db, hand) = shop(BY_ARRIVAL).await;
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    hand.session
        .batch_execute(r"insert into pg_temp.sluice_unreadable values (1, 10, '\x7b00ff7d', '22021', 'no text')")
        .await
        .unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(replay(&db, "").await, ["quarantined=1"]);
    assert_eq!(
        db.value("select sqlstate, payload from sluice.quarantine where status = 'open'").await,
        r"22021|\x7b00ff7d"
    );
    db.value(r#"select sluice.amend(id, '{"id": 2}', 'mended') from sluice.quarantine_open"#).await;
    assert_eq!(replay(&db, "").await, ["replayed=1 inserted=1"]);
    assert_eq!(
        db.value("select payload, original_payload from sluice.quarantine").await,
        r"\x7b226964223a20327d|\x7b00ff7d"
    );
}

#[tokio::test]
async fn many_records_go_in_batches_that_are_made_of_sets() {
    let (db, mut hand) = shop(BY_TIME).await;
    let bad: Vec<String> =
        (0..2500).map(|id| format!(r#"{{"id": {id}, "n": "seven", "at": {id}}}"#)).collect();
    for some in bad.chunks(1000) {
        hand.load(some).await;
    }
    register_version_2(&db, BY_TIME).await;
    let before = db.value("select txid_current()").await.parse::<i64>().unwrap();
    assert_eq!(
        replay(&db, ", version => 2, batch_rows => 1000").await,
        ["replayed=1000 inserted=1000", "replayed=1000 inserted=1000", "replayed=500 inserted=500"]
    );
    let used = db.value("select txid_current()").await.parse::<i64>().unwrap() - before;
    assert!(used < 100, "{used} transaction ids for 2500 records");
    assert_eq!(
        db.value("select count(*), sum(n), sum(at) from shop.items").await,
        "2500|17500|3123750"
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn replay_that_is_rolled_back_leaves_nothing() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    let state = "select (select count(*) from shop.items), (select count(*) from sluice.quarantine_events),
        (select string_agg(to_json(q)::text, '') from sluice.quarantine q), (select count(*) from sluice.batches), (select min(version) from sluice.transforms where first_used_at is null)";
    let before = db.value(state).await;
    let session = db.connect().await;
    session.batch_execute("begin").await.unwrap();
    let replayed = crate::support::db::rows(
        &session,
        "select replayed from sluice.replay('items', version => 2)",
    )
    .await;
    assert_eq!(replayed, ["1"]);
    session.batch_execute("rollback").await.unwrap();
    assert_eq!(db.value(state).await, before);
}

#[tokio::test]
async fn records_are_replayed_once_whoever_else_replays_them() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#, r#"{"id": 2, "n": "seven"}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    let first = db.connect().await;
    first
        .batch_execute(
            "begin; select from sluice.replay('items', version => 2, quarantine_ids => '{1}')",
        )
        .await
        .unwrap();
    let (second, ()) = tokio::join!(replay(&db, ", version => 2"), async {
        db.wait_until("select exists (select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))").await;
        first.batch_execute("commit").await.unwrap();
    });
    assert_eq!(second, ["replayed=1 inserted=1"]);
    assert_eq!(
        db.rows("select resolved_batch_id - min(resolved_batch_id) over (), status from sluice.quarantine order by quarantine_id").await,
        ["0|replayed", "1|replayed"]
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn replay_waits_for_a_load_in_progress_that_wants_the_same_record() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    let bad = r#"{"id": 1, "n": "seven"}"#;
    hand.load(&[bad]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    hand.stage(&[bad]).await.unwrap();
    hand.transform().await.unwrap();
    // It holds the target, and has moved the counters of the record.
    hand.merge().await.unwrap();
    let (replayed, ()) = tokio::join!(replay(&db, ", version => 2"), async {
        db.wait_until("select exists (select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))").await;
        hand.session.batch_execute("commit").await.unwrap();
    });
    assert_eq!(replayed, ["replayed=1 inserted=1"]);
    assert_eq!(db.value("select seen_count, status from sluice.quarantine").await, "2|replayed");
    assert_proven(&db).await;
}

#[tokio::test]
async fn record_that_the_source_brings_again_is_closed_when_it_loads() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    let (first, second) = (r#"{"id": 1, "n": "seven"}"#, r#"{"id": 2, "n": "nine"}"#);
    hand.load(&[first, second]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    db.value("select sluice.activate_version('items', 2)").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[first, second, r#"{"id": 3, "n": 3}"#]).await;
    assert_eq!(
        db.rows("select q.status, q.seen_count, b.kind, b.batch_seq from sluice.quarantine q left join sluice.batches b on b.batch_id = q.resolved_batch_id order by quarantine_id").await,
        ["loaded|1|load|2", "open|2|-|-"]
    );
    assert_eq!(
        db.rows("select id, event, version from sluice.quarantine_history_details").await,
        ["1|quarantined|1", "1|loaded|2"]
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn paused_pipelines_can_be_replayed() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    register_version_2(&db, BY_ARRIVAL).await;
    db.value("select sluice.pause_pipeline('items')").await;
    assert_eq!(replay(&db, ", version => 2").await, ["replayed=1 inserted=1"]);
}

#[tokio::test]
async fn what_cannot_be_replayed_is_refused_in_words() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&["{}"]).await;
    for (arguments, message, hint) in [
        (", version => 5", "pipeline items has no version 5", "it has 1"),
        (
            ", filter => 'nonsense = 1'",
            "filter 'nonsense = 1' cannot be used: column \"nonsense\" does not exist",
            "a condition on the columns of sluice.quarantine_open_details",
        ),
        (
            ", filter => 'sqlstate = '",
            "filter 'sqlstate = ' cannot be used: syntax error",
            "sqlstate = '22P02'",
        ),
        (", filter => ' '", "filter ' ' cannot be used: it is empty", "a condition on the columns"),
        (", filter => 'id / 0 = 1'", "cannot be used: division by zero", ""),
        (", filter => 'true)) o; delete from sluice.quarantine; --'", "cannot be used: ", ""),
        (", batch_rows => 0", "batch_rows 0 is not positive", "leave it out"),
    ] {
        problem(&db, &format!("select sluice.replay('items'{arguments})"))
            .await
            .refuses(message, hint);
    }
    problem(&db, "select sluice.replay('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "defined are: items");
    assert_eq!(db.value("select status from sluice.quarantine").await, "open");
}
