//! Correcting a quarantined record.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

#[tokio::test]
async fn only_open_records_are_amended_with_a_reason_and_not_into_another_open_one() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key",
        "id bigint",
        "(doc->>'id')::bigint",
        "key => '{id}'",
    )
    .await;
    Hand::start(&db).await.load(&["a", "b", "c"]).await;
    db.value("select sluice.discard('items', '{3}', 'known')")
        .await;
    for (arguments, message, hint) in [
        ("1, '{}', ''", "amend needs a reason", "reason =>"),
        ("1, '{}', null", "amend needs a reason", "reason =>"),
        (
            "1, null, 'x'",
            "amend needs a payload",
            "discard closes a record",
        ),
        (
            "9, '{}', 'x'",
            "there is no quarantined record 9",
            "sluice.quarantine_open",
        ),
        (
            "null, '{}', 'x'",
            "there is no quarantined record",
            "sluice.quarantine_open",
        ),
        (
            "3, '{}', 'x'",
            "quarantined record 3 is closed: discarded",
            "sluice.quarantine_open",
        ),
        (
            "1, 'b', 'x'",
            "quarantined record 1 would become the same as another that is open",
            "discard one",
        ),
    ] {
        problem(&db, &format!("select sluice.amend({arguments})"))
            .await
            .refuses(message, hint);
    }
    assert_eq!(
        db.rows("select convert_from(payload, 'UTF8'), original_payload from sluice.quarantine order by quarantine_id").await,
        ["a|-", "b|-", "c|-"]
    );
    assert_eq!(
        db.value("select sluice.amend(1, 'a', 'no change')").await,
        "quarantined record 1 amended; sluice.replay loads it"
    );
}
