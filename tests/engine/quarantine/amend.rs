//! Correcting a quarantined record.

use crate::engine::{Hand, items_of_ids, problem};

#[tokio::test]
async fn only_open_records_are_amended_with_a_reason_and_not_into_another_open_one() {
    let db = items_of_ids().await;
    Hand::start(&db).await.load(&["a", "b", "c"]).await;
    db.value("select sluice.discard('items', '{3}', 'known')").await;
    for (arguments, message, hint) in [
        ("1, '{}', ''", "amend needs a reason", "reason =>"),
        ("1, '{}', null", "amend needs a reason", "reason =>"),
        ("1, null, 'x'", "amend needs a payload", "discard closes a record"),
        ("9, '{}', 'x'", "there is no quarantined record 9", "sluice.quarantine_open"),
        ("null, '{}', 'x'", "there is no quarantined record", "sluice.quarantine_open"),
        ("3, '{}', 'x'", "quarantined record 3 is closed: discarded", "sluice.quarantine_open"),
        ("1, ' \n', 'x'", "amend needs a payload", "discard closes"),
        ("1, '{\"id\": 1', 'x'", "the payload is no JSON: ", "as_is => true"),
        (
            "1, 'b', 'x', true",
            "quarantined record 1 would become the same as another that is open",
            "discard one",
        ),
    ] {
        problem(&db, &format!("select sluice.amend({arguments})")).await.refuses(message, hint);
    }
    assert_eq!(
        db.rows("select convert_from(payload, 'UTF8'), original_payload from sluice.quarantine order by quarantine_id").await,
        ["a|-", "b|-", "c|-"]
    );
    assert_eq!(
        db.value("select sluice.amend(1, 'a', 'no change', as_is => true)").await,
        "quarantined record 1 amended; sluice.replay loads it"
    );
}

#[tokio::test]
async fn an_amended_payload_can_be_taken_back() {
    let db = items_of_ids().await;
    Hand::start(&db).await.load(&["a", "b"]).await;
    let now = "select convert_from(payload, 'UTF8'), convert_from(original_payload, 'UTF8'), payload_sha256 = sha256(payload)
               from sluice.quarantine where quarantine_id = 1";
    for payload in ["", "{}"] {
        db.value(&format!("select sluice.amend(1, '{payload}', 'a try', as_is => true)")).await;
        assert_eq!(db.value(now).await, format!("{payload}|a|t"));
    }
    assert_eq!(
        db.value("select sluice.restore_payload(1, 'it was right')").await,
        "quarantined record 1 is as it came"
    );
    assert_eq!(db.value(now).await, "a|-|t");
    assert_eq!(
        db.rows("select event, message, payload_before from sluice.quarantine_history_details where event <> 'quarantined'").await,
        ["amended|a try|a", "amended|a try|", "restored|it was right|{}"]
    );
    for (arguments, message, hint) in [
        ("1, 'x'", "quarantined record 1 is as it came", "nothing to restore"),
        ("2, ' '", "amend needs a reason", ""),
        ("9, 'x'", "there is no quarantined record 9", ""),
    ] {
        problem(&db, &format!("select sluice.restore_payload({arguments})"))
            .await
            .refuses(message, hint);
    }
}
