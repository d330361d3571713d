//! What a session has of its own must not reach a batch.

use crate::engine::support::{Hand, items};
use crate::support::TestDb;

async fn start(db: &TestDb) -> Hand {
    items(
        db,
        "id bigint primary key, v integer",
        "id bigint, v integer",
        "(doc->>'id')::bigint, (doc->>'v')::integer",
        "key => '{id}'",
    )
    .await;
    Hand::start(db).await
}

/// Names without a schema mean the built-in types, as nothing can stand before them.
#[tokio::test]
async fn types_of_the_sessions_own_schema_are_not_taken_for_built_in_ones() {
    let db = TestDb::new().await;
    let mut hand = start(&db).await;
    for name in [
        "text",
        "jsonb",
        "bytea",
        "uuid",
        "tid",
        "xid",
        "timestamptz",
        "name",
        "oid",
        "regclass",
    ] {
        hand.session
            .batch_execute(&format!(
                "create domain pg_temp.{name} as pg_catalog.int4 check (false)"
            ))
            .await
            .unwrap();
    }
    assert_eq!(
        hand.load(&[r#"{"id": 1, "v": 1}"#, r#"{"id": 2, "v": "x"}"#])
            .await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
}
