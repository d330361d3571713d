//! What becomes of a delivery by what the server answers.

use super::receiver::{Receiver, RetryError};
use super::{Shop, put, puts};
use crate::support::web::{Answer, Framing, Request};
use crate::support::{Loader, Sluice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

fn refuse(status: u16) -> Option<RetryError> {
    let answer = Answer::status(status, r#"{"error": "not so"}"#);
    Some(RetryError::Refuse(answer.header("Location", "https://moved.example/")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_set_aside_alone_and_sent_again_when_asked_for() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let receiver = Receiver::with(move |request, _| {
        let is_bad = request.path.ends_with("/3") && !mended.load(Ordering::SeqCst);
        is_bad.then(|| refuse(422)).flatten()
    });
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(6, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (5, 1));
    assert!(done.stderr.contains("see sluice deliveries items --dead"), "{}", done.stderr);
    let listed =
        Sluice::on(&shop.db).args(["deliveries", "items", "--dead", "--json"]).run().exits(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed[0]["status"], 422);
    assert_eq!(listed[0]["answer"], r#"{"error": "not so"}"#);
    assert_eq!(listed[0]["body"], r#"{"n": 1, "id": "3"}"#);
    let shown = Sluice::on(&shop.db).args(["deliveries", "items", "--dead"]);
    let shown = shown.run().exits(0).stdout;
    assert!(shown.trim_end().ends_with(r#"422  {"error": "not so"}"#), "{shown}");
    let status = Sluice::on(&shop.db).args(["status"]).run().exits(0);
    assert!(status.stdout.contains("items delivers: waiting=0 dead=1"), "{}", status.stdout);
    let doctor = Sluice::on(&shop.db).args(["doctor"]).run();
    assert!(doctor.stdout.contains("not sent: 0, dead: 1"), "{}", doctor.stdout);
    is_mended.store(true, Ordering::SeqCst);
    let said = Sluice::on(&shop.db).args(["redeliver", "items"]).run().exits(0);
    assert_eq!(said.stdout, "items unsent=1\n");
    assert_eq!(shop.deliver(&[]).exits(0).summary().count("sent"), 1);
    assert_eq!(shop.receiver.applied().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_repeated_with_the_same_key_until_it_is_known() {
    for trouble in [
        || refuse(503),
        || refuse(409),
        || Some(RetryError::Refuse(Answer::status(429, "{}").header("Retry-After", "1"))),
        || Some(RetryError::LoseAnswer),
    ] {
        let receiver = Receiver::with(move |_, tries| (tries <= 2).then(trouble).flatten());
        let shop = Shop::new(receiver, "").await;
        shop.load(puts(2, 1));
        let done = shop.deliver(&["--workers", "1"]).exits(0);
        assert_eq!((done.summary().count("sent"), done.summary().count("waiting")), (2, 0));
        assert_eq!(done.summary().count("retried"), 4);
        assert_eq!(shop.receiver.applied().len(), 2);
        assert_eq!(shop.receiver.requests().len(), 6);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_that_is_never_decided_about_holds_up_no_other() {
    let receiver =
        Receiver::with(|request, _| request.path.ends_with("/0").then(|| refuse(500)).flatten());
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(30, 1));
    let done = shop.deliver(&["--workers", "2"]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("waiting")), (29, 1));
    assert_eq!(shop.states().await, ["in_flight|1", "sent|29"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_ends_the_sending_and_nothing_is_given_up() {
    let shop = Shop::new(Receiver::with(|_, _| refuse(503)), "").await;
    shop.load(puts(9, 1));
    let done = shop.deliver(&["--retries", "3"]).exits(75);
    assert_eq!(done.summary().outcome, "failed");
    assert_eq!((done.summary().count("sent"), done.summary().count("waiting")), (0, 9));
    assert!(done.stderr.contains("answered 503"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_every_row_stops_the_sending_and_leaves_the_outbox_as_it_was() {
    for (status, says) in [
        (401, "give the delivery a credential"),
        (403, "no row gets through"),
        (404, "no row gets through"),
        (308, "leads to https://moved.example/\n  next:  set the url of deliver to where it leads"),
    ] {
        let shop = Shop::new(Receiver::with(move |_, _| refuse(status)), "").await;
        shop.load(puts(30, 1));
        let done = shop.deliver(&[]).exits(1);
        assert!(done.stderr.contains(says), "{status}: {}", done.stderr);
        assert_eq!(shop.states().await, ["unsent|30"], "{status}");
        assert!(shop.receiver.requests().len() < 20);
        let told = "select outcome, error like '%answered%' from sluice.delivery_state";
        assert_eq!(shop.db.rows(told).await, ["failed|t"]);
        let status = Sluice::on(&shop.db).args(["status"]).run().exits(0);
        let remark = "items delivery ended early: ";
        assert!(status.stdout.contains(remark), "{}", status.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_404_of_one_row_is_that_rows_and_of_a_delete_it_is_what_was_wanted() {
    let receiver = Receiver::with(|request, _| {
        let is_missing = request.path.ends_with("/1") || request.method == "DELETE";
        is_missing.then(|| refuse(404)).flatten()
    });
    let shop = Shop::new(receiver, ", delete_method => 'DELETE'").await;
    shop.load(puts(3, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (2, 1));
    // The endpoint is known to take rows.
    shop.load([r#"{"id": "2", "del": true}"#.to_owned()]);
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_row_is_refused_the_sending_ends_before_all_of_them_are_dead() {
    let shop = Shop::new(Receiver::with(|_, _| refuse(422)), "").await;
    shop.load(puts(300, 1));
    let done = shop.deliver(&[]).exits(3);
    assert_eq!(done.summary().outcome, "threshold");
    assert!(done.summary().count("dead") < 120, "{}", done.stdout);
    assert!(done.stderr.contains("deliveries were refused, and none was taken"), "{}", done.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_stops_the_sending_and_gives_nothing_up() {
    let receiver = Receiver::with(|_, _| {
        let answer = Answer::status(200, "").header("Content-Length", "100000000");
        Some(RetryError::Refuse(answer.framed(Framing::Close)))
    });
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(1, 1));
    let done = shop.deliver(&[]).exits(1);
    assert!(
        done.stderr.contains("has more than 67108864 bytes")
            && done.stderr.contains("let the server answer with less"),
        "{}",
        done.stderr
    );
    assert_eq!(done.summary().count("dead"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_a_server_repeats_are_not_kept() {
    let receiver = Receiver::with(|request: &Request, _| {
        let token = request.header("authorization").unwrap();
        // Of an answer, 2,000 characters are kept.
        let said = format!("{:.<1985}{token}", format!("who is {token}?"));
        Some(RetryError::Refuse(Answer::status(422, &said)))
    });
    let shop = Shop::new(receiver, ", auth => sluice.bearer_auth(env => 'CRM_TOKEN')").await;
    shop.load([put("a", 1)]);
    let done = shop.deliver(&["-v"]).exits(0);
    assert!(!done.stderr.contains("a-secret-token"), "{}", done.stderr);
    let kept = "select answer || error from sluice.deliveries_details";
    let kept = shop.db.value(kept).await;
    assert!(kept.contains("who is Bearer [redacted]?") && !kept.contains("a-secret"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_decides_where_deliveries_may_go_and_which_secrets_they_may_use() {
    let shop =
        Shop::new(Receiver::willing(), ", auth => sluice.bearer_auth(env => 'CRM_TOKEN')").await;
    shop.load([put("a", 1)]);
    for (name, says) in
        [("SLUICE_ALLOW_HOSTS", "the host"), ("SLUICE_ALLOW_ENV", "the environment variable")]
    {
        let done = shop.command(&[]).env(name, "other").run().exits(2);
        assert!(done.stderr.contains(says), "{}", done.stderr);
    }
    assert_eq!(shop.states().await, ["unsent|1"]);
}

/// Holds the first request until it is opened.
fn gated() -> (Receiver, Arc<(Mutex<bool>, Condvar)>) {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waits = Arc::clone(&gate);
    let is_first = AtomicBool::new(true);
    let receiver = Receiver::with(move |_, _| {
        is_first.swap(false, Ordering::SeqCst).then(|| wait(&waits));
        None
    });
    (receiver, gate)
}

fn wait(gate: &(Mutex<bool>, Condvar)) {
    let mut is_open = gate.0.lock().unwrap();
    while !*is_open {
        is_open = gate.1.wait(is_open).unwrap();
    }
}

fn open(gate: &(Mutex<bool>, Condvar)) {
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
}

fn wait_for_a_request(shop: &Shop, sender: &mut Loader) {
    while shop.receiver.requests().is_empty() {
        assert!(!sender.has_ended());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_senders_one_sends_and_a_takeover_deposes_it_without_doubling_anything() {
    let (receiver, gate) = gated();
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(5, 1));
    let mut first = shop.start(&["--workers", "1"]);
    wait_for_a_request(&shop, &mut first);
    let second = shop.deliver(&[]).exits(4);
    assert_eq!(second.summary().outcome, "locked");
    assert!(second.stderr.contains("held by another sender: process"), "{}", second.stderr);
    let third = shop.deliver(&["--takeover"]).exits(0);
    assert_eq!(third.summary().count("sent"), 5);
    open(&gate);
    let done = first.wait();
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.stderr.contains("deposed"), "{done:?}");
    assert_eq!(shop.receiver.applied().len(), 5);
    assert_eq!(shop.states().await, ["sent|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_change_of_a_row_that_was_refused_with_the_last_request_is_sent_by_the_same_sender()
{
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let waits = Arc::clone(&gate);
    let receiver = Receiver::with(move |request, _| {
        let is_refused = request.path.ends_with("/0") && request.body.contains("1");
        is_refused.then(|| wait(&waits));
        is_refused.then(|| refuse(404)).flatten()
    });
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(4, 1));
    let sender = shop.start(&[]);
    let others_are_sent = "select count(*) = 3 from sluice.outbox where state = 'sent'";
    while shop.db.value(others_are_sent).await == "f" {}
    shop.load([put(0, 2)]);
    open(&gate);
    let done = sender.wait().exits(0);
    let count = |name| done.summary().count(name);
    assert_eq!((count("sent"), count("waiting")), (4, 0), "{done:?}");
    assert_eq!(shop.states().await, ["sent|4", "superseded|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_sending_behind_what_is_on_its_way() {
    let (receiver, gate) = gated();
    let shop = Shop::new(receiver, ", requests_per_second => 5").await;
    shop.load(puts(20, 1));
    let mut sender = shop.start(&["--workers", "1"]);
    wait_for_a_request(&shop, &mut sender);
    sender.interrupt();
    open(&gate);
    let done = sender.wait().exits(130);
    assert_eq!(done.summary().outcome, "interrupted");
    let (sent, waiting) = (done.summary().count("sent"), done.summary().count("waiting"));
    assert!(sent >= 1 && waiting >= 1 && sent + waiting == 20, "{done:?}");
    assert_eq!(shop.states().await, [format!("sent|{sent}"), format!("unsent|{waiting}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_compressed_for_the_way_is_kept_readable_also_the_beginning_of_a_long_one()
 {
    let receiver = Receiver::with(|request, _| {
        let id = request.path.trim_start_matches("/items/");
        // What repeats would be sent in a few bytes, of which nothing is cut off.
        let noise: String = (0..40_000).map(|n: u64| format!("{:x}", n * n * 7919)).collect();
        let error = match id {
            "1" => "{\"error\": \"no such customer\"}".to_owned(),
            "2" => format!("{{\"error\": \"too much of it\", \"trace\": \"{noise}\"}}"),
            _ => return None,
        };
        Some(RetryError::Refuse(Answer::status(422, &error).compressed()))
    });
    let shop = Shop::new(receiver, "").await;
    shop.load(puts(4, 1));
    let done = shop.deliver(&[]).exits(0);
    assert_eq!(done.summary().count("dead"), 2, "{done:?}");
    let answers = "select left(answer, 30) from sluice.deliveries_details where state = 'dead' order by key->>'id'";
    assert_eq!(
        shop.db.rows(answers).await,
        [r#"{"error": "no such customer"}"#, r#"{"error": "too much of it", "t"#]
    );
}
