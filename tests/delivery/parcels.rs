//! Many rows in one request: to a server that applies each request's key once, and answers for each of its items.

use super::receiver::Receiver;
use super::{Shop, define_sql, puts, sampled, shop_sql};
use crate::support::loader::until_free;
use crate::support::web::{Answer, Framing, Request};
use crate::support::wire::From;
use crate::support::{Fault, Loader, Proxy, Web};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Kept {
    /// By idempotency key: the request and its answer.
    keys: HashMap<String, (String, String)>,
    /// Ids and contents in the order in which they were applied.
    applied: Vec<(String, u64)>,
    wrong: Vec<String>,
}

/// What becomes of an item: its status. Of a whole request: an answer instead of all that.
type OfItem = fn(id: &str, n: u64) -> u16;
type OfAll = Box<dyn Fn(&Request, &[Value], usize) -> Option<Answer> + Send + Sync>;

struct Bulk {
    web: Web,
    kept: Arc<Mutex<Kept>>,
}

impl Bulk {
    fn new(of_item: OfItem, of_all: OfAll) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        let seen: Mutex<HashMap<String, usize>> = Mutex::default();
        let web = Web::serve(move |request| {
            let key = request
                .header("idempotency-key")
                .unwrap_or_default()
                .to_owned();
            let items: Vec<Value> = match serde_json::from_str::<Value>(&request.body) {
                Ok(Value::Array(items)) => items,
                Ok(whole) if whole["records"].is_array() => {
                    whole["records"].as_array().unwrap().clone()
                }
                _ => request
                    .body
                    .lines()
                    .map(|line| serde_json::from_str(line).unwrap())
                    .collect(),
            };
            let times = {
                let mut seen = seen.lock().unwrap();
                *seen
                    .entry(key.clone())
                    .and_modify(|times| *times += 1)
                    .or_insert(1)
            };
            if let Some(answer) = of_all(request, &items, times) {
                let is_applied = matches!(answer.framing, Framing::Nothing);
                if !is_applied {
                    return answer;
                }
                apply(&shared, of_item, &key, &request.body, &items);
                return answer;
            }
            let results = apply(&shared, of_item, &key, &request.body, &items);
            let is_success = !results.contains("422") && !results.contains("503");
            Answer::status(if is_success { 200 } else { 207 }, &results)
        });
        Bulk { web, kept }
    }

    #[track_caller]
    fn applied(&self) -> Vec<(String, u64)> {
        let mut kept = self.kept.lock().unwrap();
        assert_eq!(kept.wrong, Vec::<String>::new());
        std::mem::take(&mut kept.applied)
    }

    fn sizes(&self) -> Vec<usize> {
        let requests = self.web.requests();
        requests
            .iter()
            .map(|request| request.body.matches("\"id\"").count())
            .collect()
    }
}

fn apply(kept: &Mutex<Kept>, of_item: OfItem, key: &str, body: &str, items: &[Value]) -> String {
    let mut kept = kept.lock().unwrap();
    if let Some((before, answer)) = kept.keys.get(key).cloned() {
        if before != body {
            kept.wrong
                .push(format!("{key} is used for {before} and {body}"));
        }
        return answer;
    }
    let mut ids: Vec<&str> = items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if key.is_empty() || ids.len() != items.len() {
        kept.wrong.push(format!("{key:?}: {body}"));
    }
    let mut results = Vec::new();
    for item in items {
        let (id, n) = (item["id"].as_str().unwrap(), item["n"].as_u64().unwrap());
        let status = of_item(id, n);
        if status < 300 {
            kept.applied.push((id.to_owned(), n));
        }
        results.push(json!({"id": id, "status": status}));
    }
    let answer = json!({ "results": results }).to_string();
    kept.keys
        .insert(key.to_owned(), (body.to_owned(), answer.clone()));
    answer
}

/// `settings`: more arguments of `parcel`.
async fn shop(bulk: &Bulk, settings: &str) -> Shop {
    let shop = Shop::at(Receiver::willing()).await;
    shop.db.execute(&shop_sql(&shop, "null")).await;
    shop.db
        .execute(
            "create function shop.item_v1(r shop.items, meta jsonb) returns jsonb language sql stable as $$
               select jsonb_build_object('id', r.id, 'n', r.n, 'is', meta->>'operation') $$",
        )
        .await;
    let deliver = format!(
        "sluice.http_delivery(url => '{}/bulk', body => 'shop.item_v1', parcel => sluice.parcel({settings}))",
        bulk.web.url
    );
    shop.db.execute(&define_sql(&shop, &deliver)).await;
    shop
}

const BY_ORDER: &str = "size => 10, results => '/results', status => '/status'";

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_in_one_request_and_one_that_is_refused_is_set_aside_alone() {
    let refuse = |id: &str, n| if id == "7" && n == 1 { 422 } else { 201 };
    let bulk = Bulk::new(refuse, Box::new(|_, _, _| None));
    let shop = shop(&bulk, BY_ORDER).await;
    shop.load(puts(25, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!(
        (done.summary().count("sent"), done.summary().count("dead")),
        (24, 1)
    );
    let mut sizes = bulk.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    assert_eq!(bulk.applied().len(), 24);
    let dead =
        "select key->>'id', status, answer from sluice.deliveries_details where state = 'dead'";
    assert_eq!(
        shop.db.rows(dead).await,
        [r#"7|422|{"id":"7","status":422}"#]
    );
    // A delete says what it is, and takes the place of what was refused.
    shop.load([r#"{"id": "7", "del": true}"#.to_owned()]);
    shop.deliver(&[]).exits(0);
    let requests = bulk.web.requests();
    assert!(
        requests[3].body.contains("\"is\": \"delete\""),
        "{}",
        requests[3].body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_as_a_whole_is_halved_down_to_the_row_that_is_to_blame() {
    for (status, settings) in [
        (400, "size => 10, format => 'ndjson'"),
        (
            413,
            "size => 10, items => '/records', wrapper => '{\"all\": true}'",
        ),
        (422, "size => 10"),
        (404, "size => 10"),
    ] {
        let poisoned = move |_: &Request, items: &[Value], _| {
            let is_bad = items.iter().any(|item| item["id"] == "4");
            is_bad.then(|| Answer::status(status, "no"))
        };
        let bulk = Bulk::new(|_, _| 200, Box::new(poisoned));
        let shop = shop(&bulk, settings).await;
        shop.load(puts(10, 1));
        let done = shop.deliver(&["--workers", "1"]).exits(0);
        assert_eq!(
            (done.summary().count("sent"), done.summary().count("dead")),
            (9, 1),
            "{status}: {done:?}"
        );
        assert_eq!(bulk.applied().len(), 9);
        let dead = "select key->>'id', status from sluice.deliveries_details where state = 'dead'";
        assert_eq!(shop.db.rows(dead).await, [format!("4|{status}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_told_to_come_later_come_again_without_the_others() {
    static TIMES: Mutex<usize> = Mutex::new(0);
    let busy = |id: &str, _| {
        let mut times = TIMES.lock().unwrap();
        *times += usize::from(id == "2");
        if id == "2" && *times < 3 { 503 } else { 200 }
    };
    let bulk = Bulk::new(busy, Box::new(|_, _, _| None));
    let shop = shop(
        &bulk,
        "size => 10, results => '/results', status => '/status', id => '/id'",
    )
    .await;
    shop.load(puts(4, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!(
        (
            done.summary().count("sent"),
            done.summary().count("waiting")
        ),
        (4, 0)
    );
    assert_eq!(bulk.sizes(), [4, 1, 1]);
    let keys: Vec<String> = bulk
        .web
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert!(keys[0] != keys[1] && keys[1] != keys[2], "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_understood_stops_the_sending_and_its_rows_stay_in_flight() {
    for (settings, answer, says) in [
        (
            "size => 10",
            Answer::status(207, "[]"),
            "207 has a result for each row",
        ),
        (
            BY_ORDER,
            Answer::json("[]"),
            "no list of results at \"/results\"",
        ),
        (
            BY_ORDER,
            Answer::json(r#"{"results": [1]}"#),
            "1 results for 3 rows",
        ),
    ] {
        let answers = Mutex::new(Some(answer));
        let bulk = Bulk::new(
            |_, _| 200,
            Box::new(move |_, _, _| answers.lock().unwrap().take()),
        );
        let shop = shop(&bulk, settings).await;
        shop.load(puts(3, 1));
        let done = shop.deliver(&[]).exits(1);
        assert!(done.stderr.contains(says), "{}", done.stderr);
        assert_eq!(shop.states().await, ["in_flight|3"]);
        if settings == BY_ORDER {
            shop.deliver(&[]).exits(0);
            let requests = bulk.web.requests();
            assert_eq!(
                requests[0].header("idempotency-key"),
                requests[1].header("idempotency-key")
            );
            assert_eq!(requests[0].body, requests[1].body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_every_request_stops_the_sending_and_gives_nothing_up() {
    for status in [401, 403, 404] {
        let bulk = Bulk::new(
            |_, _| 200,
            Box::new(move |_, _, _| Some(Answer::status(status, "no"))),
        );
        let shop = shop(&bulk, BY_ORDER).await;
        shop.load(puts(40, 1));
        shop.deliver(&["--workers", "1"]).exits(1);
        assert_eq!(shop.states().await, ["unsent|40"], "{status}");
        assert!(bulk.web.requests().len() < 40);
    }
}

const ROWS: u64 = 9;
const ARGS: [&str; 4] = ["deliver", "items", "--workers", "2"];

/// Answers get lost now and then, one row is refused as it is before, and whole requests with another.
async fn faulty() -> (Bulk, Shop) {
    let count = Mutex::new(0);
    let lose = move |_: &Request, items: &[Value], _| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let is_poisoned = items
            .iter()
            .any(|item| item["id"] == "5" && item["n"].as_u64().unwrap() % 2 == 0);
        if is_poisoned {
            return Some(Answer::status(400, "no"));
        }
        (*count % 5 == 3).then(|| Answer::json("{}").framed(Framing::Nothing))
    };
    let bulk = Bulk::new(
        |id, n| if id == "3" && n % 2 == 0 { 422 } else { 200 },
        Box::new(lose),
    );
    let shop = shop(
        &bulk,
        "size => 4, results => '/results', status => '/status'",
    )
    .await;
    (bulk, shop)
}

async fn nothing_is_doubled_lost_or_reordered(fault: Fault, offset: usize) {
    let (bulk, shop) = faulty().await;
    shop.load(puts(ROWS, 0));
    let proxy = Proxy::new(&shop.db, |_| None);
    Loader::command_through(&proxy, &shop.db, ARGS.to_vec())
        .wait()
        .exits(0);
    let log = proxy.log();
    let last = log
        .iter()
        .rfind(|message| message.from == From::Server && message.tag == b'Z');
    let points = sampled(last.unwrap().number, 12, offset);
    bulk.applied();
    let mut fired = 0;
    for (round, number) in (1..).zip(&points) {
        let (before, after, number) = (2 * round, 2 * round + 1, *number);
        shop.load(puts(ROWS, before));
        let proxy = Proxy::once(&shop.db, fault, move |message| message.number == number);
        let done = Loader::command_through(&proxy, &shop.db, ARGS.to_vec()).wait();
        fired += proxy.fired();
        let is_killed = matches!(fault, Fault::KillBefore | Fault::KillAfter);
        let context = format!("{fault:?} {number}");
        assert!(
            done.code == Some(0) || is_killed && done.code.is_none(),
            "{context}: {done:?}"
        );
        drop(proxy);
        shop.load(puts(ROWS, after));
        let done = until_free(|| shop.deliver(&[])).exits(0);
        assert_eq!(done.summary().count("waiting"), 0, "{context}: {done:?}");
        let applied = bulk.applied();
        for id in 0..ROWS {
            let of_row: Vec<u64> = applied
                .iter()
                .filter(|(of, _)| *of == id.to_string())
                .map(|(_, n)| *n)
                .collect();
            let is_refused_before = id == 3 || id == 5;
            let is_right = of_row == [after] || !is_refused_before && of_row == [before, after];
            assert!(is_right, "{context}: {id} {of_row:?} of {applied:?}");
        }
    }
    assert!(fired * 10 >= 9 * points.len(), "{fired} fired");
    let open = "select count(*) from sluice.outbox where state not in ('sent', 'superseded')";
    assert_eq!(shop.db.value(open).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_cut_off_behind_any_message_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::CutAfter, 2).await;
}
