//! Answers that are none, and what is asked again.

use pgsluice::error::Kind;
use serde_json::json;

use super::support::{WIDE, in_turn, page, read, read_with, settings};
use crate::support::web::{Answer, Framing, Web};

fn gzip(content: &[u8]) -> Vec<u8> {
    crate::sources::file::support::gzip(content)
}

/// A body that is cut or broken, once, is asked for again, and then read in full.
#[test]
fn a_body_that_is_cut_is_asked_for_again() {
    let records: Vec<String> = (0..500).map(|i| format!("{{\"id\": {i}}}")).collect();
    let whole = page(&records.join(","));
    let packed =
        Answer { body: gzip(&whole.body), ..whole.clone() }.header("Content-Encoding", "gzip");
    let short = Answer { body: whole.body[..3000].to_vec(), ..whole.clone() };
    let cut_gzip = Answer { body: packed.body[..packed.body.len() - 9].to_vec(), ..packed.clone() };
    for (name, broken) in [
        ("short of its length", whole.clone().framed(Framing::CutLength(3000))),
        ("without its last chunk", whole.clone().framed(Framing::CutChunks(3000))),
        ("cut with nothing to tell so", whole.clone().framed(Framing::CutClose(3000))),
        ("cut before it was sent", short),
        ("empty", Answer::json("")),
        ("no answer at all", whole.clone().framed(Framing::Nothing)),
        (
            "short gzip of its length",
            packed.clone().framed(Framing::CutLength(packed.body.len() / 2)),
        ),
        (
            "cut gzip with nothing to tell so",
            packed.clone().framed(Framing::CutClose(packed.body.len() / 2)),
        ),
        ("gzip cut before it was sent", cut_gzip),
        ("gzip that is none", Answer { body: whole.body.clone(), ..packed.clone() }),
    ] {
        for good in [
            whole.clone(),
            packed.clone(),
            whole.clone().framed(Framing::Chunked),
            whole.clone().framed(Framing::Close),
        ] {
            let web = in_turn(vec![broken.clone(), good]);
            let run = read(&settings(&web.url, json!({}))).ok();
            assert_eq!(run.payloads(), records, "{name}");
            assert_eq!((run.retried(), web.requests().len()), (1, 2), "{name}");
        }
    }
}

#[test]
fn a_body_that_is_always_cut_never_looks_like_the_end() {
    let web = in_turn(vec![page("1, 2, 3").framed(Framing::CutClose(13))]);
    let run = read_with(&settings(&web.url, json!({})), None, WIDE, 2);
    assert_eq!(run.payloads(), Vec::<String>::new());
    assert_eq!(run.error.as_ref().unwrap().kind(), Kind::Exhausted);
    assert!(
        run.error_text()
            .contains("ends inside its JSON, after 13 bytes\n  every retry of this run is used up"),
        "{}",
        run.error_text()
    );
    assert_eq!(web.requests().len(), 3);
}

#[test]
fn conditions_that_pass_are_asked_again() {
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let web = in_turn(vec![Answer::status(status, "busy"), page("1")]);
        let run = read(&settings(&web.url, json!({}))).ok();
        assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1), "{status}");
    }
}

#[test]
fn other_refusals_are_final_and_show_what_the_server_said() {
    let body = format!(
        "<h1>Not here</h1>\r\n\n\n  second\tline {}\nthird\nfourth\nfifth\nsixth",
        "x".repeat(500)
    );
    for status in [206, 304, 400, 401, 403, 404, 405, 410, 422] {
        let web = in_turn(vec![Answer::status(status, &body), page("1")]);
        let run = read(&settings(&format!("{}/orders", web.url), json!({"params": {"a": 1}})));
        assert_eq!(web.requests().len(), 1, "{status}");
        let error = run.error.as_ref().unwrap();
        assert_eq!(error.kind(), Kind::Failed, "{status}");
        assert!(
            error.message().starts_with(&format!("{}/orders?a=1 answered {status}", web.url)),
            "{error}"
        );
        let text = error.to_string();
        if status != 304 {
            assert!(
                text.contains("\n  body:  <h1>Not here</h1>\n           secondline xxx"),
                "{text}"
            );
            assert!(
                text.contains("fifth")
                    && !text.contains("sixth")
                    && !text.contains(&"x".repeat(300)),
                "{text}"
            );
        }
        assert!(error.next_step().is_some());
    }
}

#[test]
fn a_page_that_is_gone_names_the_way_out() {
    let web = in_turn(vec![
        Answer::json(r#"{"data": [1], "next": "a"}"#),
        Answer::status(410, "expired"),
    ]);
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    let run = read(&source);
    assert_eq!(run.payloads(), ["1"], "what was read before is handed out");
    assert!(run.error_text().contains("sluice rewind PIPELINE --to-start"), "{}", run.error_text());
    assert_eq!(run.cursor.unwrap()["next"], json!({"token": "a"}));
}

#[test]
fn a_server_that_asks_to_be_left_alone_is() {
    // A second is the least that the header can ask for; the clock of the test does not matter.
    let web = in_turn(vec![Answer::status(429, "").header("Retry-After", "1"), page("1")]);
    let began = std::time::Instant::now();
    assert_eq!(read(&settings(&web.url, json!({}))).ok().payloads(), ["1"]);
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));

    let long = |answer: Answer| {
        let web = in_turn(vec![answer, page("1")]);
        let run = read(&settings(&web.url, json!({"max_wait": 10})));
        assert_eq!(web.requests().len(), 1);
        assert_eq!(run.error.as_ref().unwrap().kind(), Kind::Exhausted);
        run.error_text()
    };
    let text = long(Answer::status(503, "down").header("Retry-After", "3600"));
    assert!(
        text.contains("the server asks to be left alone for 3600 s, more than max_wait = 10 s"),
        "{text}"
    );
    let date = httpdate::fmt_http_date(
        std::time::SystemTime::now() + std::time::Duration::from_secs(7200),
    );
    assert!(
        long(Answer::status(429, "").header("Retry-After", &date)).contains("left alone for 71")
    );
    let text = long(
        Answer::status(403, "")
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", "900"),
    );
    assert!(text.contains("left alone for 900 s"), "{text}");
}

#[test]
fn a_quota_that_is_spent_is_waited_for_before_the_next_request() {
    let web = in_turn(vec![
        Answer::json(r#"{"data": [1], "next": "a"}"#)
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", "1"),
        Answer::json(r#"{"data": [2]}"#),
    ]);
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    let began = std::time::Instant::now();
    let run = read(&source).ok();
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
    assert_eq!((run.payloads().len(), run.retried()), (2, 0));
}

#[test]
fn an_error_in_disguise_is_asked_again_or_final() {
    let busy = || Answer::json(r#"{"error": {"code": "busy"}, "data": []}"#);
    let wrong = || Answer::json(r#"{"error": {"code": 17, "text": "no such list"}}"#);
    let source = |web: &Web| {
        settings(
            &web.url,
            json!({"retry_when": [{"pointer": "/error/code", "values": ["busy", 429]}], "fail_when": [{"pointer": "/error"}]}),
        )
    };
    let web = in_turn(vec![
        busy(),
        Answer::json(r#"{"error": {"code": "429"}}"#),
        Answer::json(r#"{"error": null, "data": [1]}"#),
    ]);
    let run = read(&source(&web)).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 2));
    let web = in_turn(vec![wrong()]);
    let text = read(&source(&web)).error_text();
    assert!(text.contains("answered 200 OK with `/error` in its body (fail_when)\n  body:  {\"error\": {\"code\": 17, \"text\": \"no such list\"}}"), "{text}");
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn what_is_no_page_of_records_is_final() {
    for (body, message) in [
        ("{\"data\": [1]} trailing", "is not JSON, as byte 15 shows"),
        ("{\"items\": [1]}", "there is no `/data` in the answer of"),
        ("{\"data\": {\"a\": 1}}", "`/data` in the answer of"),
        ("{\"data\": \"text\"}", "is not an array of records"),
        ("[1, 2]", "there is no `/data` in the answer of"),
    ] {
        let web = in_turn(vec![Answer::json(body)]);
        let run = read(&settings(&web.url, json!({})));
        assert!(run.error_text().contains(message), "{body}: {}", run.error_text());
        assert_eq!(web.requests().len(), 1, "{body}");
    }
    let web = in_turn(vec![Answer::json("{\"id\": 1}")]);
    let run = read(&settings(&web.url, json!({"records": ""})));
    assert!(
        run.error_text().contains("is an object, not an array of records"),
        "{}",
        run.error_text()
    );
}

#[test]
fn a_page_over_the_limit_is_refused_however_it_comes() {
    let large = page(&format!("\"{}\"", "x".repeat(100_000)));
    let packed =
        Answer { body: gzip(&large.body), ..large.clone() }.header("Content-Encoding", "gzip");
    assert!(packed.body.len() < 10_000);
    for answer in [
        large.clone(),
        large.clone().framed(Framing::Chunked),
        large.framed(Framing::Close),
        packed,
    ] {
        let web = in_turn(vec![answer]);
        let text = read(&settings(&web.url, json!({"max_page_bytes": 50_000}))).error_text();
        assert!(
            text.contains(
                "has more than max_page_bytes = 50000 bytes\n  next:  ask for smaller pages"
            ),
            "{text}"
        );
        assert_eq!(web.requests().len(), 1);
    }
}

#[test]
fn a_silent_server_is_given_up_after_the_timeout_and_asked_again() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = std::sync::Mutex::new(receiver);
    let web = Web::serve(move |request| {
        if request.number == 1 {
            // Never: the sender outlives the read.
            let _ = receiver.lock().unwrap().recv();
        }
        page("1")
    });
    let run = read(&settings(&web.url, json!({"read_timeout": 1}))).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1));
    drop(sender);
}

#[test]
fn a_server_that_is_not_there_uses_up_the_retries() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    drop(listener);
    let run = read_with(&settings(&url, json!({})), None, WIDE, 2);
    let error = run.error.as_ref().unwrap();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(
        run.error_text()
            .starts_with(&format!("{url} gave no answer\n  cause: error sending request\n")),
        "{}",
        run.error_text()
    );
    assert!(run.error_text().contains("Connection refused"), "{}", run.error_text());
}
