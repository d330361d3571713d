//! sluice_monitor: counts of all pipelines, and nothing of what they load.

use super::{MARK, Teams, rows};

#[tokio::test]
async fn a_monitor_sees_how_pipelines_are_and_no_payload_message_or_cursor() {
    let teams = Teams::new().await;
    let mona = teams.of("mona").await;
    assert_eq!(
        rows(&mona, "select pipeline, state, bad, waiting from sluice.status").await,
        ["alice|new|0|0", "bob|failed|1|1"]
    );
    assert_eq!(
        rows(
            &mona,
            "select pipeline, open_quarantine, undelivered, cursor, error from sluice.status_details"
        )
        .await,
        ["alice|0|0|-|-", "bob|1|3|-|-"]
    );
    assert_eq!(
        rows(&mona, "select pipeline, status, sqlstate, records from sluice.quarantine_counts")
            .await,
        ["bob|open|22P02|1", "bob|replayed|22P02|1"]
    );
    for view in [
        "status",
        "status_details",
        "backfills",
        "recent_runs",
        "recent_batches",
        "versions",
        "waiting_details",
        "quarantine_counts",
        "owners",
        "manual",
    ] {
        let whole = format!("select v::text from sluice.{view} v");
        assert!(!rows(&mona, &whole).await.concat().contains(MARK), "{view}");
    }
    assert_eq!(rows(&mona, "select sum(extracted) from sluice.batches").await, ["6"]);
    assert_eq!(
        rows(
            &mona,
            "select verdict, detail from sluice.doctor() where \"check\" like 'pipeline %' order by \"check\""
        )
        .await
        .len(),
        2
    );
    // Every column of every relation, one by one: it is refused, or holds nothing of bob's.
    let columns = "select format('select string_agg(%1$I::text, '' '') from %2$s', a.attname, c.oid::regclass)
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'v') order by 1";
    let mut seen = 0;
    for sql in teams.db.rows(columns).await {
        if let Ok(row) = mona.query_one(&sql, &[]).await {
            let text: Option<String> = row.get(0);
            assert!(!text.unwrap_or_default().contains(MARK), "{sql}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
    for sql in [
        "select payload from sluice.quarantine",
        "select * from sluice.raw_records('bob')",
        "select * from sluice.quarantine_open",
        "select * from sluice.quarantine_by_error",
        "select sluice.pause_pipeline('bob')",
        "select sluice.verify('bob')",
        "update sluice.pipelines set is_paused = true",
    ] {
        let problem = teams.says("mona", sql).await;
        assert_eq!(problem.map(|problem| problem.code).as_deref(), Some("42501"), "{sql}");
    }
}

/// An operator may read all columns: with a monitor's rows as well, everything.
#[tokio::test]
async fn an_operator_who_is_made_a_monitor_sees_no_rows_of_others() {
    let teams = Teams::new().await;
    let watch = teams.of("watch").await;
    for table in ["pipelines", "quarantine", "batches", "runs", "outbox"] {
        assert_eq!(
            rows(&watch, &format!("select count(*) from sluice.{table}")).await,
            ["0"],
            "{table}"
        );
    }
}
