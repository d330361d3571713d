//! A standby as the source, and transactions that are prepared on its primary.

use serde_json::json;

use super::support::{Runs, Shop, refusal, wait};
use crate::faults::restore::{back_up, basebackup_of};
use crate::support::TestDb;
use crate::support::server::TestServer;

const ORDERS: &str = "create table orders (id bigint primary key, at timestamptz not null)";

fn shop_on(server: &TestServer, sql: &str) -> Shop {
    Shop::of(TestDb::of(server, "sluice"), sql)
}

#[test]
fn a_prepared_transaction_is_waited_for_though_no_session_has_it() {
    let mut server = TestServer::start();
    let shop = shop_on(&server, ORDERS);
    shop.execute("alter system set max_prepared_transactions = 5");
    server.restart();
    let (orders, mut runs) = (shop.orders(), Runs::default());
    shop.execute("insert into orders values (1, '2026-01-01Z')");
    assert_eq!(runs.ids(&orders), [1]);
    shop.session()
        .execute("begin; insert into orders values (2, '2026-01-02Z'); prepare transaction 'late'");
    shop.execute("insert into orders values (3, '2026-01-03Z')");
    assert_eq!(runs.ids(&orders), [1, 3]);
    shop.execute("insert into orders values (4, '2026-01-04Z')");
    assert_eq!(runs.ids(&orders), [1, 3, 4], "it is in flight yet");
    server.restart();
    shop.execute("insert into orders values (5, '2026-01-05Z')");
    assert_eq!(runs.ids(&orders), [1, 3, 4, 5], "under another id now");
    shop.execute("commit prepared 'late'");
    assert_eq!(runs.ids(&orders), [1, 2, 3, 4, 5]);
    assert_eq!(runs.ids(&orders), [5]);
}

#[test]
fn a_standby_is_read_with_a_lag_and_not_without_one() {
    let server = TestServer::start();
    let Some(program) = basebackup_of(&server) else {
        return;
    };
    let shop = shop_on(
        &server,
        &format!(
            "{ORDERS}; insert into orders values (1, '2026-01-01 10:00Z'), (2, '2026-01-01 11:00Z')"
        ),
    );
    let options = ["--wal-method=stream", "--write-recovery-conf"];
    let standby = TestServer::start_in(back_up(&server, &program, &options));
    let read = TestDb::of(&standby, "sluice");
    shop.move_to(&read.url);
    let refused = refusal(&shop.orders());
    assert!(
        refused.contains("the source is a standby") && refused.contains("lag => '10 minutes'"),
        "{refused}"
    );
    let lagging = shop.settings(json!({"table": "orders", "cursor": "at", "lag": 5400}));
    let mut runs = Runs::default();
    assert_eq!(runs.ids(&lagging), [1, 2]);
    // Committed late by as much as the lag allows.
    shop.execute("insert into orders values (3, '2026-01-01 10:30Z'), (4, '2026-01-01 12:00Z')");
    wait(read.wait_until("select count(*) = 4 from orders"));
    assert_eq!(runs.ids(&lagging), [1, 3, 2, 4]);
    let whole = shop.settings(json!({"table": "orders"}));
    assert_eq!(Runs::default().ids(&whole), [1, 2, 3, 4]);
}
