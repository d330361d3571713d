//! What is sent, once and in order.

use super::receiver::Receiver;
use super::{Shop, put, puts};
use crate::support::Sluice;
use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_arrives_once_and_what_is_read_again_does_not() {
    let shop = Shop::new(Receiver::willing(), "").await;
    shop.load(puts(40, 1));
    let done = shop.deliver(&["--workers", "8"]).exits(0);
    assert_eq!(done.summary().outcome, "delivered");
    assert_eq!(done.summary().count("sent"), 40);
    let mut applied = shop.receiver.applied();
    applied.sort();
    assert_eq!(applied.len(), 40);
    assert_eq!(applied[0], r#"0: PUT {"n": 1, "id": "0"}"#);
    // Nothing is new.
    let done = Sluice::on(&shop.db).args(["rewind", "items", "--to-start"]).run();
    done.exits(0);
    shop.load([]);
    assert_eq!(shop.deliver(&[]).exits(0).summary().count("sent"), 0);
    assert!(shop.receiver.applied().is_empty());
    assert_eq!(shop.states().await, ["sent|40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_content_is_sent_instead_of_older_that_was_not() {
    let shop = Shop::new(Receiver::willing(), "").await;
    shop.load([put("a", 1), put("b", 1)]);
    shop.load([put("a", 2)]);
    let done = shop.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("superseded")), (2, 1));
    let mut applied = shop.receiver.applied();
    applied.sort();
    assert_eq!(applied, [r#"a: PUT {"n": 2, "id": "a"}"#, r#"b: PUT {"n": 1, "id": "b"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_may_deliver_what_it_loaded() {
    let shop = Shop::new(Receiver::willing(), "").await;
    shop.offer([put("a/b c", 1)]);
    let done = Sluice::on(&shop.db).args(["run", "--all", "--deliver"]).run().exits(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("items ok extracted=1 "), "{lines:?}");
    assert!(
        lines[1].starts_with(
            "items delivered sent=1 filtered=0 superseded=0 dead=0 waiting=0 retried=0 seconds="
        ),
        "{lines:?}"
    );
    assert_eq!(shop.receiver.applied(), [r#"a%2Fb%20c: PUT {"n": 1, "id": "a/b c"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_deliver_says_when_there_is_nowhere_to() {
    let shop = Shop::new(Receiver::willing(), "").await;
    shop.db.execute("select sluice.set_policy('items', 'deliver', 'none')").await;
    for (args, says) in [
        (&["run", "items", "--deliver"], "pipeline items delivers nowhere"),
        (&["run", "--all", "--deliver"], "no pipeline delivers anywhere"),
    ] {
        let done = Sluice::on(&shop.db).args(args).run().exits(2);
        assert!(done.stderr.contains(says), "{}", done.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_go_by_their_method_or_not_at_all() {
    for (settings, expected) in [
        (", delete_method => 'DELETE'", vec!["a: DELETE "]),
        ("", vec![r#"a: PUT {"n": 1, "id": "a"}"#]),
        (", deletes => false", vec![]),
    ] {
        let shop = Shop::new(Receiver::willing(), settings).await;
        shop.load([put("a", 1)]);
        shop.deliver(&[]).exits(0);
        shop.receiver.applied();
        shop.load([r#"{"id": "a", "del": true}"#.to_owned()]);
        shop.deliver(&[]).exits(0);
        assert_eq!(shop.receiver.applied(), expected, "{settings}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_carry_key_credential_and_a_signature_that_the_receiver_can_check() {
    let settings = ", key_format => 'quoted', headers => '{\"X-Tenant\": \"7\"}', \
                    auth => sluice.bearer_auth(env => 'CRM_TOKEN'), \
                    signature => sluice.webhook_signature(env => 'CRM_SIGNING')";
    let shop = Shop::new(Receiver::willing(), settings).await;
    shop.load([put("a", 1)]);
    shop.deliver(&[]).exits(0);
    let request = shop.receiver.requests().remove(0);
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let id = header("webhook-id");
    assert_eq!(header("idempotency-key"), format!("\"{id}\""));
    assert_eq!(header("authorization"), "Bearer a-secret-token");
    assert_eq!(header("x-tenant"), "7");
    assert_eq!(header("content-type"), "application/json");
    let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{}.{}", header("webhook-timestamp"), request.body).as_bytes());
    let expected = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_new_is_filled_when_asked_for() {
    let shop = Shop::new(Receiver::willing(), "").await;
    shop.load(puts(3, 1));
    shop.deliver(&[]).exits(0);
    shop.receiver.applied();
    let done = shop.deliver(&["--all-rows", "--json"]).exits(0);
    let report: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&report["outcome"], &report["sent"]), (&"delivered".into(), &3.into()));
    assert_eq!(shop.receiver.applied().len(), 3);
}
