//! From the first engine that landed, and from those since: each with what its version left behind.

use super::{Old, next_runs_go_on};
use crate::engine::interface::interface_of;
use crate::support::TestDb;

/// Upgraded, sound, and like a new one.
async fn upgraded(commit: &str, migrations: &[u32]) -> Option<Old> {
    let old = Old::restored(commit, migrations).await?;
    let planned = old.sluice("migrate --dry-run").exits(0);
    let pending = "select count(*) from sluice.refinery_schema_history";
    let (before, there) = (old.db.value(pending).await, "the engine that is there, 0.1.0");
    assert_eq!(before, migrations.len().to_string());
    assert!(planned.stderr.contains(there), "{}", planned.stderr);
    old.sluice("migrate").exits(0);
    old.is_sound().await;
    old.knows_deleted_keys().await;
    let of_the_old = interface_of(&old.db).await;
    for line in interface_of(&TestDb::new().await).await {
        assert!(of_the_old.contains(&line), "{commit} misses: {line}");
    }
    Some(old)
}

#[tokio::test]
async fn the_first_engine_that_landed_goes_on() {
    let Some(old) = upgraded("fcd20bd", &[1, 2]).await else {
        return;
    };
    let orders = "select region, order_id, amount from shop.orders order by 1, 2";
    assert_eq!(
        old.db.rows(orders).await,
        ["Bonn|1|1.00", "Kiel|1|12.50", "Köln|1|10.00", "Köln|2|21.00"]
    );
    let quarantine = "select status, count(*) from sluice.quarantine group by 1 order by 1";
    assert_eq!(old.db.rows(quarantine).await, ["discarded|1", "open|3"]);
    old.put(
        "orders/3.ndjson",
        &[
            r#"{"region": "K\u00f6ln", "id": 1, "amount": 10, "updated_at": "2026-01-01"}"#,
            r#"{"region": "K\u00f6ln", "id": 2, "amount": 20, "updated_at": "2026-01-01"}"#,
            r#"{"region": "Kiel", "id": 2, "amount": 2, "updated_at": "2026-01-03"}"#,
        ],
    );
    for name in ["1", "2"] {
        std::fs::remove_file(old.folder.path().join(format!("orders/{name}.ndjson"))).unwrap();
    }
    assert_eq!(old.run("run orders"), "ok extracted=3 inserted=1 unchanged=1 stale=1");
    // What fits by now had been loaded by a rewind, of which quarantine was not told then.
    assert_eq!(old.run("replay orders"), "ok quarantined=2 unchanged=1");
    old.is_sound().await;
}

#[tokio::test]
async fn an_engine_with_deliveries_goes_on() {
    let migrations: Vec<u32> = (1..=15).collect();
    let Some(old) = upgraded("36d1dba", &migrations).await else {
        return;
    };
    customers_go_on(&old).await;
    next_runs_go_on(&old).await;
}

/// For some minutes there was an engine with the migration of erasures and without that of owners.
#[tokio::test]
async fn an_engine_whose_migrations_came_in_another_order_goes_on() {
    let migrations: Vec<u32> = (1..=18).chain([20]).collect();
    let Some(old) = upgraded("23af902", &migrations).await else {
        return;
    };
    customers_go_on(&old).await;
    let lines = "select basket_id, line, article from shop.lines order by 1, 2";
    assert_eq!(old.db.rows(lines).await, ["1|1|a", "2|1|c", "3|1|a", "3|2|b"]);
    old.put("baskets/3.ndjson", &[r#"{"id": 3, "lines": []}"#]);
    assert_eq!(old.run("run baskets"), "ok extracted=1 updated=1 deleted=2");
    old.is_sound().await;
}

/// What was sent stays sent, and what waited is sent yet.
async fn customers_go_on(old: &Old) {
    let deliveries = "select state, count(*) from sluice.deliveries group by 1 order by 1";
    let before = old.db.rows(deliveries).await;
    assert!(before.contains(&"unsent|2".to_owned()), "{before:?}");
    old.sluice("deliver customers").exits(0);
    let after = old.db.rows(deliveries).await;
    assert!(after.iter().all(|line| line.starts_with("sent|")), "{after:?}");
}
