//! The outbox: what batches note in it, and how deliveries are claimed and decided.

mod claims;
mod definition;
mod outbox;

use super::{Hand, items};
use crate::support::TestDb;

const TABLE: &str = "id bigint primary key, n bigint";
const DELIVER: &str =
    "deliver => sluice.http_delivery(url => 'https://crm.example/items/{id}', method => 'PUT')";

/// `items`, which delivers.
async fn shop(options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    items(
        &db,
        TABLE,
        "id bigint, n bigint, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::bigint, (doc->>'del')::boolean",
        &format!("key => '{{id}}', {options}"),
    )
    .await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

fn put(id: i64, n: i64) -> String {
    format!(r#"{{"id": {id}, "n": {n}}}"#)
}

fn del(id: i64) -> String {
    format!(r#"{{"id": {id}, "del": true}}"#)
}

const STATES: &str = "select key->>'id', operation, state from sluice.deliveries order by id";
const CLAIM: &str = "select key->>'id', state, body from sluice.claim_deliveries('items', epoch => 1) order by delivery_id";
