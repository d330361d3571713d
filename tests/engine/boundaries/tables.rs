//! Plain SQL on the engine's tables and views, by another team.

use super::{MARK, Teams, rows};

#[tokio::test]
async fn rows_of_another_team_are_neither_seen_nor_changed_in_any_table() {
    let teams = Teams::new().await;
    let before = teams.everything_of_bob().await;
    let mut empty = Vec::new();
    for (table, of_bob) in teams.tables().await {
        let bobs = format!("select count(*) from {table} t where {of_bob}");
        if teams.db.value(&bobs).await == "0" {
            empty.push(table.clone());
        }
        for caller in ["alice", "watch"] {
            let session = teams.of(caller).await;
            assert_eq!(rows(&session, &bobs).await, ["0"], "{caller} {table}");
            let column = teams
                .db
                .value(&format!(
                    "select attname from pg_attribute where attrelid = '{table}'::regclass and attnum > 0
                       and not attisdropped and attidentity = '' and attgenerated = '' order by attnum desc limit 1"
                ))
                .await;
            for sql in [
                format!("update {table} set {column} = {column}"),
                format!(
                    "delete from {table} t where t::text not like '1,alice,%' and t::text not like '(1,%'"
                ),
                format!("truncate {table}"),
                format!("lock table {table} in access exclusive mode"),
                format!("drop table {table}"),
                format!("alter table {table} disable row level security"),
                format!("alter table {table} disable trigger all"),
            ] {
                // Refused, or done to no row of bob's.
                let _ = session.batch_execute(&sql).await;
            }
        }
    }
    assert_eq!(teams.everything_of_bob().await, before);
    assert_eq!(
        empty,
        [
            "sluice.unknown_batches",
            "sluice.accepted_rows",
            "sluice.pruned_batches",
            "sluice.pruned",
        ],
        "bob has rows in the others, or nothing is proven of them"
    );
    // And with what the caller could write as his own.
    for sql in [
        "insert into sluice.batches select * from sluice.batches",
        "insert into sluice.quarantine_events (quarantine_id, event) values (1, 'discarded')",
        "insert into sluice.runs (pipeline_id, epoch, loader) values (2, 99, 'x')",
        "insert into sluice.waiting (pipeline_id, name, reason) values (2, 'x', 'x')",
        "insert into sluice.raw_days values (2, current_date)",
        "insert into sluice.raw_days values (2, 'infinity')",
        "insert into sluice.replayed_keys (batch_id, key_hash, arrived_at) values (1, '', now())",
        "insert into sluice.tombstones (target, key_hash, key, batch_id) values ('bob.items', '', '{}', 1)",
        "insert into sluice.unknown_batches (target, batch_ids) values ('bob.items', '{[1,9)}')",
        "insert into sluice.outbox (pipeline_id, key, key_hash, operation, hash, batch_id) values (2, '{}', '', 'upsert', '', 1)",
    ] {
        let _ = teams.says("alice", sql).await;
    }
    assert_eq!(teams.everything_of_bob().await, before);
}

#[tokio::test]
async fn every_table_is_guarded() {
    let teams = Teams::new().await;
    assert_eq!(
        teams
            .db
            .rows(
                "select c.relname from pg_class c
                 where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity
                   and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'to_see'
                     and pg_get_expr(p.polqual, c.oid) <> 'false')) order by 1"
            )
            .await,
        ["engine", "raw_chunks", "refinery_schema_history"],
        "a table has a column that leads to its pipeline, or a line in sluice._is_mine"
    );
}

#[tokio::test]
async fn no_view_shows_what_another_team_has() {
    let teams = Teams::new().await;
    let views = "select c.oid::regclass from pg_class c where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v'
      and c.relname not in ('manual', 'verify_header') order by 1";
    for view in teams.db.rows(views).await {
        let all = format!("select v::text from {view} v");
        for caller in ["alice", "watch"] {
            let seen = rows(&teams.of(caller).await, &all).await.join("\n");
            assert!(!seen.contains(MARK), "{caller} {view}: {seen}");
            let is_directory = ["sluice.owners", "sluice._loaded"].contains(&view.as_str());
            assert_eq!(seen.contains("bob"), is_directory, "{caller} {view}: {seen}");
        }
        // What was told is there for those who may see it.
        let seen = rows(&teams.of("rita").await, &all).await;
        let may_be_empty =
            ["sluice.backfills", "sluice.erasures", "sluice.quarantine_discarded", "sluice._mine"]
                .contains(&view.as_str());
        assert!(!seen.is_empty() || may_be_empty, "{view}");
    }
    let seen =
        rows(&teams.of("rita").await, "select payload from sluice.quarantine_open_details").await;
    assert!(seen.concat().contains(MARK));
}
