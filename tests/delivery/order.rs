//! Rows of several targets that refer to each other where they go: whatever happens between, none is given up because
//! another one is not sent yet.

use super::receiver::{Receiver, RetryError};
use super::targets::{Shop, http, table};
use crate::support::web::Answer;
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

const CRM: &str = "create schema crm;
    create table crm.orders (id bigint primary key, n bigint check (n < 100));
    create table crm.lines (id bigint references crm.orders, no bigint, sku text, primary key (id, no));";
const LINES_WITH_ORDERS: &str =
    "select id, no, sku, n from crm.lines join crm.orders using (id) order by 1, 2";

async fn shop_and_crm(more: &str) -> (Shop, TestDb) {
    let there = TestDb::empty().await;
    there.execute(CRM).await;
    there.execute(more).await;
    let shop = Shop::new(&table("crm.orders"), &table("crm.lines")).await;
    (shop, there)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_wait_while_their_orders_cannot_be_sent() {
    let (shop, there) = shop_and_crm("alter table crm.orders rename n to m").await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a", "b"]}"#]);
    let done = shop.deliver(&there, &[]).exits(1);
    let summaries: Vec<&str> = done.stdout.lines().collect();
    assert!(
        summaries[0].starts_with("orders failed sent=0 filtered=0 superseded=0 dead=0 waiting=1 ")
            && summaries[1]
                .starts_with("orders failed sent=0 filtered=0 superseded=0 dead=0 waiting=2 ")
            && summaries[1].ends_with(" target=shop.lines"),
        "{summaries:?}"
    );
    assert!(
        done.stderr.contains("rows of shop.lines wait until those of shop.orders can be sent"),
        "{done:?}"
    );
    there.execute("alter table crm.orders rename m to n").await;
    shop.deliver(&there, &[]).exits(0);
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["1|1|a|1", "1|2|b|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_do_not_wait_for_lines_that_cannot_be_sent_but_those_that_go_do() {
    let receiver = Receiver::with(|request, tries| {
        let is_down = request.path.contains("lines") && request.body.contains("down") && tries < 9;
        is_down.then(|| RetryError::Refuse(Answer::status(401, "who?")))
    });
    let lines = http(&receiver, "lines-{id}-{no}");
    let shop = Shop::new(&http(&receiver, "orders-{id}"), &lines).await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a"]}"#]);
    shop.deliver(&shop.db, &[]).exits(0);
    receiver.applied();
    shop.load("2", &[r#"{"id": 1, "gone": true, "lines": []}"#]);
    shop.load("3", &[r#"{"id": 2, "n": 1, "lines": ["down"]}"#]);
    let done = shop.deliver(&shop.db, &[]).exits(1);
    let applied: Vec<String> = receiver.applied();
    let paths: Vec<&str> = applied.iter().map(|row| &row[..9]).collect();
    assert_eq!(paths, ["lines-1-1", "orders-2:"], "{done:?}");
    let summaries: Vec<&str> = done.stdout.lines().map(|line| &line[..20]).collect();
    assert_eq!(summaries, ["orders failed sent=1", "orders failed sent=1"]);
}

/// A cron job beside a long load.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_orders_that_were_loaded_meanwhile_wait_for_the_next_time() {
    let later: Arc<OnceLock<(PathBuf, String)>> = Arc::default();
    let shared = Arc::clone(&later);
    let receiver = Receiver::with(move |request, _| {
        if let Some((file, url)) = shared.get()
            && request.path.contains("lines-1")
            && !file.exists()
        {
            std::fs::write(file, r#"{"id": 2, "n": 1, "lines": ["b"]}"#).unwrap();
            let run = Sluice::bare().args(["run", "orders"]);
            run.env("DATABASE_URL", url).run().exits(0);
        }
        None
    });
    let lines = http(&receiver, "lines-{id}-{no}");
    let shop = Shop::new(&http(&receiver, "orders-{id}"), &lines).await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a"]}"#]);
    let file = shop.folder.path().join("2.ndjson");
    later.set((file, shop.db.url.clone())).unwrap();
    for order in [1, 2] {
        let done = shop.deliver(&shop.db, &[]).exits(0);
        let applied = receiver.applied();
        let paths: Vec<&str> = applied.iter().filter_map(|row| row.split(':').next()).collect();
        assert_eq!(paths, [format!("orders-{order}"), format!("lines-{order}-1")], "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_sent_alone_before_their_orders_are_put_off_and_not_given_up() {
    let (shop, there) = shop_and_crm("").await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a", "b"]}"#]);
    let done = shop.deliver(&there, &["--target", "shop.lines"]).exits(0);
    assert!(
        done.stdout.contains("sent=0 ") && done.stdout.contains("dead=0 waiting=2 "),
        "{done:?}"
    );
    assert!(
        done.stdout.ends_with(" target=shop.lines put_off=2\n")
            && done.stderr.contains("not taken yet of shop.lines: 2"),
        "{done:?}"
    );
    let json = shop.deliver(&there, &["--target", "shop.lines", "--json"]);
    assert!(json.exits(0).stdout.contains(r#""put_off":2"#));
    shop.deliver(&there, &[]).exits(0);
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["1|1|a|1", "1|2|b|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_an_order_that_is_refused_there_are_dead_with_it() {
    let (shop, there) = shop_and_crm("").await;
    let good = r#"{"id": 1, "n": 1, "lines": ["a"]}"#;
    shop.load("1", &[good, r#"{"id": 2, "n": 500, "lines": ["b", "c"]}"#]);
    let done = shop.deliver(&there, &[]).exits(0);
    let dead: Vec<bool> = done
        .stdout
        .lines()
        .zip(["dead=1 waiting=0", "dead=2 waiting=0"])
        .map(|(line, counts)| line.contains(counts))
        .collect();
    assert_eq!(dead, [true, true], "{done:?}");
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["1|1|a|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_takes_the_place_of_one_that_goes_is_not_given_up() {
    let (shop, there) = shop_and_crm("alter table crm.orders add unique (n)").await;
    shop.load("1", &[r#"{"id": 1, "n": 7, "lines": ["a"]}"#]);
    shop.deliver(&there, &[]).exits(0);
    let two = r#"{"id": 2, "n": 7, "lines": ["b"]}"#;
    shop.load("2", &[r#"{"id": 1, "gone": true, "lines": []}"#, two]);
    let done = shop.deliver(&there, &[]).exits(0);
    assert!(!done.stdout.contains("dead=1"), "{done:?}");
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["2|1|b|7"]);
    let states = "select distinct state from sluice.deliveries";
    assert_eq!(shop.db.rows(states).await, ["sent"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_after_a_line_of_it_has_moved_to_another_one() {
    let there = TestDb::empty().await;
    let tables = |schema| {
        format!(
            "create schema {schema};
             create table {schema}.orders (id bigint primary key, n bigint);
             create table {schema}.lines (line bigint primary key, id bigint not null references {schema}.orders);
             create index on {schema}.lines (id);"
        )
    };
    there.execute(&tables("crm")).await;
    let here = tables("shop")
        + "create function shop.orders_v1(doc jsonb) returns table (id bigint, n bigint, sluice_deleted boolean)
           language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::bigint, doc ? 'gone' $$;
           create function shop.lines_v1(doc jsonb) returns table (line bigint, id bigint)
           language sql stable as $$ select line::bigint, (doc->>'id')::bigint
             from jsonb_array_elements_text(doc->'lines') line $$;";
    let shop = Shop::with(&here, "{line}", &table("crm.orders"), &table("crm.lines")).await;
    let two = r#"{"id": 2, "n": 1, "lines": [20]}"#;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": [10, 11]}"#, two]);
    shop.deliver(&there, &[]).exits(0);
    shop.load("2", &[r#"{"id": 2, "n": 1, "lines": [10, 20]}"#]);
    shop.load("3", &[r#"{"id": 1, "gone": true, "lines": []}"#]);
    let done = shop.deliver(&there, &[]).exits(0);
    assert!(!done.stdout.contains("dead=1"), "{done:?}");
    assert_eq!(there.rows("select * from crm.lines order by 1").await, ["10|2", "20|2"]);
    assert_eq!(there.rows("select id from crm.orders").await, ["2"]);
}

impl Shop {
    fn deliver_through(&self, proxy: &Proxy, there: &TestDb) -> Loader {
        let command = Sluice::bare()
            .args(["deliver", "orders", "--retries", "0"])
            .env("DATABASE_URL", proxy.url(&self.db));
        Loader::hit(proxy, command.env("CRM_DB", &there.url))
    }
}

/// A newer batch supersedes the order and not the line, which this call sends in vain.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_whose_order_was_changed_meanwhile_waits_for_it_until_the_next_time() {
    let (shop, there) = shop_and_crm("").await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a"]}"#]);
    let looked = |message: &crate::support::wire::Message| message.runs("start_delivery");
    let proxy = Proxy::once(&shop.db, Fault::Hold, looked);
    let sender = shop.deliver_through(&proxy, &there);
    proxy.wait_until_fired(1);
    shop.load("2", &[r#"{"id": 1, "n": 2, "lines": ["a"]}"#]);
    proxy.release();
    let done = sender.wait().exits(0);
    let summaries: Vec<&str> = done.stdout.lines().collect();
    assert!(
        summaries[0].contains("sent=0 filtered=0 superseded=1 dead=0 waiting=1")
            && summaries[1].contains("sent=0 filtered=0 superseded=0 dead=0 waiting=1")
            && summaries[1].ends_with("put_off=1"),
        "{done:?}"
    );
    shop.deliver(&there, &[]).exits(0);
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["1|1|a|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_told_although_what_was_put_off_cannot_be_sent_again() {
    let (shop, there) = shop_and_crm("alter table crm.orders add unique (n)").await;
    shop.load("1", &[r#"{"id": 1, "n": 7, "lines": ["a"]}"#]);
    shop.deliver(&there, &[]).exits(0);
    let (two, three) =
        (r#"{"id": 2, "n": 7, "lines": ["b"]}"#, r#"{"id": 3, "n": 8, "lines": ["c"]}"#);
    shop.load("2", &[r#"{"id": 1, "gone": true, "lines": []}"#, two, three]);
    // Whoever asks a second time is cut off.
    let mut looks = 0;
    let proxy = Proxy::new(&shop.db, move |message| {
        looks += usize::from(message.runs("delivering_targets"));
        (looks > 1 && message.runs("delivering_targets")).then_some(Fault::CutBefore)
    });
    let done = shop.deliver_through(&proxy, &there).wait().exits(75);
    assert!(proxy.fired() > 0);
    let summaries: Vec<&str> = done.stdout.lines().collect();
    assert!(
        summaries[0].starts_with("orders failed sent=2 filtered=0 superseded=0 dead=0 waiting=1")
            && summaries[0].ends_with(" put_off=1")
            && summaries[1].starts_with("orders delivered sent=2 ")
            && done.stderr.contains("before rows that were put off were sent once more"),
        "{done:?}"
    );
    shop.deliver(&there, &[]).exits(0);
    assert_eq!(there.rows(LINES_WITH_ORDERS).await, ["2|1|b|7", "3|1|c|8"]);
}
