//! Closing records for good, and taking that back.

use super::replay::{BY_ARRIVAL, assert_proven, register_version_2, replay, shop};
use crate::engine::{Hand, problem};

const RECORDS: &str =
    "select quarantine_id, status, seen_count, reason from sluice.quarantine order by 1";

#[tokio::test]
async fn which_records_has_to_be_said() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&["a", "b"]).await;
    for (function, all, more) in
        [("discard", "all_open", ", reason => 'x'"), ("reopen", "all_discarded", "")]
    {
        for arguments in ["", ", quarantine_ids => null, filter => null"] {
            problem(&db, &format!("select sluice.{function}('items'{arguments}{more})"))
                .await
                .refuses("needs to be told which records", all);
        }
        for choice in ["quarantine_ids => '{1}'", "filter => 'true'"] {
            problem(
                &db,
                &format!("select sluice.{function}('items', {choice}, {all} => true{more})"),
            )
            .await
            .refuses("or a choice of them, not both", all);
        }
        problem(
            &db,
            &format!("select sluice.{function}('items', quarantine_ids => '{{1,7}}'{more})"),
        )
        .await
        .refuses("pipeline items has no quarantined record 7", "");
        problem(&db, &format!("select sluice.{function}('items', filter => '1=1) or (1=1'{more})"))
            .await
            .refuses(
                "cannot be used: syntax error",
                "a condition on the columns of sluice.quarantine_",
            );
    }
    assert_eq!(db.rows(RECORDS).await, ["1|open|1|-", "2|open|1|-"]);
}

#[tokio::test]
async fn bytes_that_were_discarded_stay_so_when_a_rewind_brings_them_again() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    let source = ["a", "b", r#"{"id": 1, "n": 1}"#, "c"];
    hand.load(&source).await;
    // Also what was amended in vain: the source brings what it brought before.
    db.execute(
        "select sluice.amend(2, '{}', 'a try'); select sluice.discard('items', '{1,2}', 'rubbish');
         select sluice.rewind('items', to_start => true)",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&source).await,
        "extracted=4 transformed=1 quarantined=3 produced=1 unchanged=1"
    );
    assert_eq!(
        db.rows(RECORDS).await,
        ["1|discarded|2|rubbish", "2|discarded|2|rubbish", "3|open|2|-"]
    );
    assert_eq!(
        db.rows("select id, reason, payload, seen, batch = (select max(batch_id) from sluice.batches) from sluice.quarantine_discarded").await,
        ["1|rubbish|a|2|t", "2|rubbish|{}|2|t"]
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn reopened_records_are_open_as_before() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    let bad = r#"{"id": 1, "n": "seven"}"#;
    hand.load(&[bad, "b", "c"]).await;
    db.execute(
        "select sluice.amend(3, '{}', 'a try'); select sluice.discard('items', '{1,3}', 'known'); select sluice.discard('items', '{2}', 'rubbish')",
    )
    .await;
    for (which, count) in [
        ("filter => $$ reason = 'known' $$", "2"),
        ("filter => $$ reason = 'known' $$", "0"),
        ("quarantine_ids => '{1,2,3}'", "1"),
        ("all_discarded => true", "0"),
    ] {
        assert_eq!(
            db.value(&format!("select sluice.reopen('items', {which})")).await,
            count,
            "{which}"
        );
    }
    assert_eq!(db.rows(RECORDS).await, ["1|open|1|-", "2|open|1|-", "3|open|1|-"]);
    assert_eq!(
        db.rows("select event from sluice.quarantine_history_details where id = 1").await,
        ["quarantined", "discarded", "reopened"]
    );
    assert_proven(&db).await;
    // Open once, and counted there.
    hand.load(&[bad]).await;
    assert_eq!(
        replay(&db, ", version => 2, quarantine_ids => '{1}'").await,
        ["replayed=1 inserted=1"]
    );
    assert_eq!(
        db.value("select sluice.reopen('items', '{1}')").await,
        "0",
        "what was loaded stays closed"
    );
    assert_eq!(db.rows(RECORDS).await, ["1|replayed|2|-", "2|open|1|-", "3|open|1|-"]);
    assert_proven(&db).await;
}

#[tokio::test]
async fn the_same_bytes_are_not_opened_twice() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&["a", "b"]).await;
    db.execute(
        "select sluice.discard('items', '{1}', 'known'); select sluice.amend(2, 'a', 'the same', as_is => true)",
    )
    .await;
    let refused = problem(&db, "select sluice.reopen('items', '{1}')").await;
    refused.refuses("the same bytes would be open twice", "leave out all but one");
    assert_eq!(refused.detail, "the same bytes are in records 1, 2");
}
