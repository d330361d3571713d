//! One policy at a time.

use crate::engine::{items, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, gone timestamptz",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    db
}

#[tokio::test]
async fn every_policy_can_be_set_and_set_back() {
    let db = shop().await;
    for (policy, value, said) in [
        ("max_bad_ratio", "0.02", "max_bad_ratio 1 → 0.02"),
        ("max_bad_ratio", "default", "max_bad_ratio 0.02 → 0.1"),
        ("batch_rows", "500", "batch_rows none → 500"),
        ("batch_rows", "none", "batch_rows 500 → none"),
        ("batch_bytes", "1000000", "batch_bytes none → 1000000"),
        ("skip_known", "off", "skip_known true → false"),
        ("skip_known", "no", "skip_known is no already"),
        ("retry_orphans", "false", "retry_orphans true → false"),
        ("retain_raw", "7 days", "retain_raw none → 7 days"),
        ("retain_raw", "NONE", "retain_raw 7 days → none"),
        ("mark_column", "gone", "mark_column none → gone, missing keep → mark"),
        ("missing", "delete", "mark_column gone → none, missing mark → delete"),
        ("missing", "default", "missing delete → keep"),
        ("max_delete_ratio", "0.5", "max_delete_ratio 0.1 → 0.5"),
    ] {
        assert_eq!(
            db.value(&format!("select sluice.set_policy('items', '{policy}', '{value}')")).await,
            format!("pipeline items: {said}")
        );
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let db = shop().await;
    for (policy, value, message, hint) in [
        (
            "max_bad",
            "1",
            "pipeline items: unknown policy max_bad",
            "policies are max_bad_ratio, batch_rows",
        ),
        ("source", "x", "pipeline items: unknown policy source", "changed by a definition"),
        ("max_bad_ratio", "2", "max_bad_ratio 2 is not between 0 and 1", "0.02"),
        ("max_bad_ratio", "none", "max_bad_ratio none is not between 0 and 1", "0.02"),
        ("max_bad_ratio", "2%", "max_bad_ratio cannot be '2%'", "a share from 0 to 1"),
        ("batch_rows", "0", "batch_rows and batch_bytes have to be positive", "defaults"),
        ("batch_rows", "99999999999", "batch_rows cannot be '99999999999'", "a number of records"),
        ("retain_raw", "soon", "retain_raw cannot be 'soon'", "a time such as 7 days"),
        ("retain_raw", "-1 day", "retain_raw '-1 days' is less than an hour", "7 days"),
        ("retain_history", "365", "retain_history '00:06:05' is less than an hour", "1 year"),
        ("skip_known", "none", "skip_known cannot be none", "true or false"),
        ("missing", "drop", "missing cannot be 'drop'", "keep rows"),
        ("missing", "mark", "needs a mark_column", "gone_at"),
        ("mark_column", "nothing", "no column nothing", "add column nothing timestamptz"),
    ] {
        let sql = format!("select sluice.set_policy('items', '{policy}', '{value}')");
        problem(&db, &sql).await.refuses(message, hint);
    }
    problem(&db, "select sluice.set_policy('other', 'retain_raw', 'none')")
        .await
        .refuses("pipeline other is not defined", "items");
}

#[tokio::test]
async fn several_policies_are_set_at_once_or_none() {
    let db = shop().await;
    for policies in [
        r#"{"missing": "mark", "mark_column": "gone"}"#,
        r#"{"missing": "keep", "mark_column": "none"}"#,
        r#"{"mark_column": "gone", "missing": "mark", "max_bad_ratio": 0.2, "batch_rows": 7}"#,
    ] {
        db.value(&format!("select sluice.set_policies('items', '{policies}')")).await;
    }
    assert_eq!(
        db.value("select missing, mark_column, max_bad_ratio, batch_rows from sluice.pipelines")
            .await,
        "mark|gone|0.2|7"
    );
    for (policies, message) in [
        (r#"{"batch_rows": 8, "max_bad": 1}"#, "unknown policy max_bad"),
        (r#"{"batch_rows": 8, "max_bad_ratio": "x"}"#, "max_bad_ratio cannot be 'x'"),
        (r#"{"batch_rows": 8, "mark_column": "nothing"}"#, "no column nothing"),
        ("{}", "no policy is given"),
        ("[1]", "no policy is given"),
    ] {
        problem(&db, &format!("select sluice.set_policies('items', '{policies}')"))
            .await
            .refuses(message, "");
    }
    assert_eq!(db.value("select batch_rows from sluice.pipelines").await, "7");
}
