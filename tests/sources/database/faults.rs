//! Connections that break, and servers that do not answer as they should.

use serde_json::json;

use super::support::{Runs, Shop, refusal};
use crate::support::wire::Message;
use crate::support::{Fault, Proxy};

fn shop(count: usize) -> Shop {
    Shop::new(&format!(
        "create table t (id int primary key, pad text); insert into t select i, repeat('x', 10000) from generate_series(1, {count}) i"
    ))
}

/// Whatever is lost, the rows are read on behind the last one that came, each once.
#[test]
fn a_connection_lost_at_any_message_is_made_again_and_no_row_comes_twice() {
    let shop = shop(12);
    let settings = shop.settings(json!({"table": "t"}));
    let expected: Vec<i64> = (1..=12).collect();
    let mut fired = 0;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for nth in 0.. {
            let mut seen = 0;
            let proxy = Proxy::once(&shop.db, fault, move |_: &Message| {
                seen += 1;
                seen > nth
            });
            shop.move_to(&proxy.url(&shop.db));
            assert_eq!(Runs::default().ids(&settings), expected, "{fault:?} at message {nth}");
            if proxy.fired() == 0 {
                break;
            }
            fired += 1;
        }
    }
    assert!(fired > 20, "{fired} faults");
}

#[test]
fn a_session_that_is_ended_in_the_middle_goes_on_where_it_was() {
    let shop = shop(5_000);
    let settings = shop.settings(json!({"table": "t"}));
    let runs = Runs::default();
    let mut driver = runs.open(&settings, super::support::rows(100));
    let mut found = 0;
    let mut ended = String::new();
    while let Some(batch) = driver.next_batch().unwrap() {
        found += batch.rows;
        if found == 100 {
            let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name like 'sluice source%'";
            ended = super::support::wait(shop.db.value(kill));
        }
    }
    assert_eq!((ended.as_str(), found), ("1", 5_000));
}

#[test]
fn a_server_that_is_not_there_is_asked_as_often_as_the_budget_allows() {
    let shop = Shop::new("");
    shop.move_to("postgresql://nobody:s3cret-word@127.0.0.1:9/none");
    let said = refusal(&shop.settings(json!({"table": "t"})));
    assert!(said.contains("the connection of the source (file `"), "{said}");
    assert!(said.contains("`): could not connect to nobody@127.0.0.1:9/none"), "{said}");
    assert!(said.contains("every retry of this run is used up"), "{said}");
    assert!(!said.contains("s3cret-word"), "{said}");
}

#[test]
fn a_statement_that_takes_too_long_says_which_setting_ended_it() {
    let shop = Shop::new("");
    let settings = shop.settings(json!({"query": "select 1 as id, pg_sleep(60)::text as s", "key": ["id"], "statement_timeout": 0.05}));
    let said = refusal(&settings);
    assert!(
        said.contains("statement timeout")
            && said.contains("raise statement_timeout of the source"),
        "{said}"
    );
}

/// What the role or the database has set for its sessions is not what the source goes by.
#[test]
fn timeouts_of_the_role_do_not_end_a_read() {
    let shop = shop(2_000);
    let name = &shop.db.name;
    for setting in ["statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"] {
        shop.execute(&format!("alter database {name} set {setting} = 100"));
    }
    let settings = shop.settings(json!({"query": "select id, pad from t where id <> 1000 or pg_sleep(0.3) is not null", "key": ["id"]}));
    assert_eq!(Runs::default().ids(&settings).len(), 2_000);
}
