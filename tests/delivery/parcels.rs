//! Many rows in one request, and an answer for each of them.

use super::bulk::{Bulk, shop};
use super::puts;
use crate::support::web::{Answer, Request};
use serde_json::{Value, json};
use std::sync::Mutex;

const BY_ORDER: &str = "size => 10, results => '/results', status => '/status'";

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_in_one_request_and_one_that_is_refused_is_set_aside_alone() {
    let refuse = |id: &str, n| if id == "7" && n == 1 { 422 } else { 201 };
    let bulk = Bulk::new(refuse, Box::new(|_, _, _| None));
    let shop = shop(&bulk, BY_ORDER).await;
    shop.load(puts(25, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (24, 1));
    let mut sizes = bulk.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    assert_eq!(bulk.applied().len(), 24);
    let dead =
        "select key->>'id', status, answer from sluice.deliveries_details where state = 'dead'";
    assert_eq!(shop.db.rows(dead).await, [r#"7|422|{"id":"7","status":422}"#]);
    // A delete says what it is, and takes the place of what was refused.
    shop.load([r#"{"id": "7", "del": true}"#.to_owned()]);
    shop.deliver(&[]).exits(0);
    let requests = bulk.web.requests();
    assert!(requests[3].body.contains("\"is\": \"delete\""), "{}", requests[3].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_as_a_whole_is_halved_down_to_the_row_that_is_to_blame() {
    for (status, settings) in [
        (400, "size => 10, format => 'ndjson'"),
        (413, "size => 10, items => '/records', wrapper => '{\"all\": true}'"),
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
    let shop =
        shop(&bulk, "size => 10, results => '/results', status => '/status', id => '/id'").await;
    shop.load(puts(4, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("waiting")), (4, 0));
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
        ("size => 10", Answer::status(207, "[]"), "207 has a result for each row"),
        (BY_ORDER, Answer::json("[]"), "no list of results at \"/results\""),
        (BY_ORDER, Answer::json(r#"{"results": [1]}"#), "1 results for 3 rows"),
    ] {
        let answers = Mutex::new(Some(answer));
        let bulk = Bulk::new(|_, _| 200, Box::new(move |_, _, _| answers.lock().unwrap().take()));
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
        let bulk =
            Bulk::new(|_, _| 200, Box::new(move |_, _, _| Some(Answer::status(status, "no"))));
        let shop = shop(&bulk, BY_ORDER).await;
        shop.load(puts(40, 1));
        shop.deliver(&["--workers", "1"]).exits(1);
        assert_eq!(shop.states().await, ["unsent|40"], "{status}");
        assert!(bulk.web.requests().len() < 40);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_were_compressed_for_the_way_are_read() {
    let zipped = |_: &Request, items: &[Value], _| {
        let results: Vec<Value> = items
            .iter()
            .map(|item| json!({"status": if item["id"] == "1" { 422 } else { 200 }}))
            .collect();
        Some(Answer::json(json!({ "results": results }).to_string()).compressed())
    };
    let bulk = Bulk::new(|_, _| 200, Box::new(zipped));
    let shop = shop(&bulk, BY_ORDER).await;
    shop.load(puts(3, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (2, 1));
    assert_eq!(bulk.web.requests()[0].header("accept-encoding"), Some("gzip, br, zstd"));
}

#[tokio::test(flavor = "multi_thread")]
async fn results_that_cannot_be_decompressed_are_asked_for_again_and_those_of_no_known_encoding_end_the_sending()
 {
    let broken = |_: &Request, _: &[Value], times| {
        let mut answer = Answer::json(r#"{"results": []}"#).compressed();
        answer.body.truncate(12);
        (times < 3).then_some(answer)
    };
    let bulk = Bulk::new(|_, _| 200, Box::new(broken));
    let first = shop(&bulk, BY_ORDER).await;
    first.load(puts(3, 1));
    let done = first.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("retried")), (3, 2));
    let deflated = |_: &Request, _: &[Value], _| {
        Some(Answer::json("deflated").header("Content-Encoding", "deflate"))
    };
    let bulk = Bulk::new(|_, _| 200, Box::new(deflated));
    let other = shop(&bulk, BY_ORDER).await;
    other.load(puts(3, 1));
    let done = other.deliver(&[]).exits(1);
    assert!(done.stderr.contains("encoded as `deflate`"), "{done:?}");
    assert_eq!(other.states().await, ["in_flight|3"]);
}
