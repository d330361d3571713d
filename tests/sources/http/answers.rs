//! Answers that are asked again for, that are waited for, and that are none.

use std::time::{Duration, Instant};

use pgsluice::error::Kind;
use serde_json::{Value, json};

use super::support::{Run, WIDE, in_turn, page, read, read_with, settings};
use crate::support::web::{Answer, Framing, Web};

fn is_asked_again(first: Answer) -> Run {
    let web = in_turn(vec![first, page("1")]);
    let run = read(&settings(&web.url, json!({}))).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1));
    run
}

#[test]
fn a_quota_that_is_spent_is_waited_for_in_every_form() {
    for (status, headers) in [
        (403, vec![("Retry-After", "1".to_owned())]),
        (
            403,
            vec![("X-RateLimit-Remaining", "0".to_owned()), ("X-RateLimit-Reset", "1".to_owned())],
        ),
        (429, vec![("Retry-After-Ms", "1000".to_owned())]),
        (429, vec![("X-RateLimit-Reset", "EPOCH".to_owned())]),
        (429, vec![("X-RateLimit-Reset", "MS".to_owned())]),
        (429, vec![("RateLimit", "\"default\";r=0;t=1".to_owned())]),
        (503, vec![("RateLimit", "limit=10, remaining=0, reset=1".to_owned())]),
        (
            429,
            vec![
                ("x-ratelimit-remaining-tokens", "0".to_owned()),
                ("x-ratelimit-reset-tokens", "1s".to_owned()),
            ],
        ),
    ] {
        let answer = headers.iter().fold(Answer::status(status, ""), |answer, (name, value)| {
            answer.header(name, &in_two_seconds(value))
        });
        let began = Instant::now();
        is_asked_again(answer);
        assert!(began.elapsed() >= Duration::from_millis(900), "{headers:?}");
    }
}

/// As a time since 1970, where the value asks for one.
fn in_two_seconds(value: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let at = now + Duration::from_secs(2);
    match value {
        "MS" => at.as_millis().to_string(),
        "EPOCH" => at.as_secs().to_string(),
        value => value.to_owned(),
    }
}

#[test]
fn waits_that_are_asked_for_do_not_use_up_the_retries() {
    let wait = || Answer::status(429, "").header("Retry-After", "1");
    let web = in_turn(vec![wait(), wait(), page("1")]);
    let run = read_with(&settings(&web.url, json!({})), None, WIDE, 0).ok();
    assert_eq!(run.payloads(), ["1"]);
}

#[test]
fn each_page_that_comes_makes_the_retries_full_again() {
    let web = Web::serve(|request| match request.number % 2 {
        1 => Answer::status(503, "busy"),
        _ => Answer::json(format!(
            r#"{{"data": [{0}], "next": {1}}}"#,
            request.number,
            if request.number < 8 {
                "\"t\"".replace('t', &request.number.to_string())
            } else {
                "null".to_owned()
            }
        )),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    let run = read_with(&source, None, WIDE, 1).ok();
    assert_eq!((run.payloads().len(), run.retried()), (4, 4));
}

#[test]
fn what_is_still_being_made_is_asked_again_for() {
    is_asked_again(Answer::status(202, r#"{"status": "pending"}"#));
}

#[test]
fn statuses_pass_or_are_final_as_told() {
    let web = in_turn(vec![Answer::status(409, "busy"), page("1")]);
    let run = read(&settings(&web.url, json!({"retry_statuses": [409]}))).ok();
    assert_eq!(run.retried(), 1);
    let web = in_turn(vec![Answer::status(503, "closed for good"), page("1")]);
    let run = read(&settings(&web.url, json!({"final_statuses": [503]})));
    assert_eq!(run.error.unwrap().kind(), Kind::Failed);
    assert_eq!(web.requests().len(), 1);
}

#[test]
fn a_part_that_is_the_whole_is_a_page() {
    let body = r#"{"data": [1]}"#;
    let part = |range: &str| Answer::status(206, body).header("Content-Range", range);
    for whole in [
        format!("bytes 0-{}/{}", body.len() - 1, body.len()),
        "0-0/1".to_owned(),
        "items 0-0/25".to_owned(),
    ] {
        let web = in_turn(vec![part(&whole)]);
        assert_eq!(read(&settings(&web.url, json!({}))).ok().payloads(), ["1"], "{whole}");
    }
    for cut in ["bytes 0-4/13", "bytes 5-12/13", "bytes 0-12/*"] {
        let web = in_turn(vec![part(cut)]);
        let text = read(&settings(&web.url, json!({}))).error_text();
        assert!(text.contains("answered 206"), "{cut}: {text}");
    }
    let web = Web::serve(|request| {
        let n: usize = request.param("page").unwrap().parse().unwrap();
        Answer::status(206, &format!(r#"{{"data": [{n}]}}"#))
            .header("Content-Range", &format!("items {}-{}/3", n - 1, n - 1))
    });
    let paging = json!({"model": "page_number", "param": "page", "total": "Content-Range", "size": 5, "size_param": "n"});
    assert_eq!(
        read(&settings(&web.url, json!({"paging": paging}))).ok().payloads().len(),
        3,
        "and its total is one"
    );
}

#[test]
fn records_that_stand_twice_in_an_answer_are_refused_and_not_half_of_them_read() {
    for (body, records) in [
        (r#"{"data": [1], "data": [2, 3]}"#, "/data"),
        (r#"{"data": [1], "d\u0061ta": []}"#, "/data"),
        (r#"{"a": {"data": [1]}, "a": {"data": [2]}}"#, "/a/data"),
    ] {
        let web = in_turn(vec![Answer::status(200, body)]);
        let text = read(&settings(&web.url, json!({"records": records}))).error_text();
        assert!(text.contains(&format!("`{records}` stands twice in the answer")), "{text}");
        assert_eq!(web.requests().len(), 1);
    }
    let web = in_turn(vec![Answer::status(200, r#"{"data": [{"data": 1, "data": 2}]}"#)]);
    let run = read(&settings(&web.url, json!({}))).ok();
    assert_eq!(run.payloads(), [r#"{"data": 1, "data": 2}"#], "that is the record's own");
}

#[test]
fn no_content_has_no_body_whatever_its_headers() {
    for answer in [
        Answer::status(204, "").header("Content-Encoding", "gzip"),
        Answer::status(204, "").header("Content-Length", "12"),
        Answer::status(204, "").header("Content-Type", "text/html"),
    ] {
        let web = in_turn(vec![answer]);
        assert_eq!(read(&settings(&web.url, json!({}))).ok().records.len(), 0);
    }
}

#[test]
fn a_page_for_people_passes_or_leaves_the_run_to_be_repeated() {
    let html = || Answer::json(" <!DOCTYPE html><html><body>Maintenance</body></html>");
    is_asked_again(html());
    for format in ["json", "ndjson", "csv"] {
        let web = in_turn(vec![html()]);
        let run = read(&json!({"kind": "http", "url": web.url, "format": format}));
        assert_eq!(run.error.as_ref().unwrap().kind(), Kind::Exhausted, "{format}");
        let text = run.error_text();
        assert!(text.contains("is HTML\n  body:   <!DOCTYPE html>"), "{text}");
        assert_eq!(web.requests().len(), 6);
    }
}

fn of_lines(format: &str, answers: Vec<Answer>) -> Run {
    let web = in_turn(answers);
    read(&json!({"kind": "http", "url": web.url, "format": format}))
}

#[test]
fn json_is_no_csv() {
    for body in [r#"{"error": "no such report"}"#, r#"[{"a": 1}]"#] {
        let text = of_lines("csv", vec![Answer::json(body)]).error_text();
        assert!(text.contains("is JSON\n"), "{text}");
        assert!(text.contains("set `format` to json"), "{text}");
    }
    assert_eq!(
        of_lines("csv", vec![Answer::json("{a},[b]\n1,2\n")]).ok().payloads().len(),
        1,
        "a header may look like it"
    );
}

#[test]
fn an_error_at_the_end_of_a_stream_fails_the_page() {
    for (format, body, good) in [
        ("ndjson", "{\"id\": 1}\n{\"error\": \"timeout\"}\n", "{\"id\": 1}\n{\"id\": 2}\n"),
        ("csv", "id\n1\n{\"exception\": \"Code: 241\"}", "id\n1\n2\n"),
    ] {
        let run = of_lines(format, vec![Answer::json(body), Answer::json(good)]).ok();
        assert_eq!((run.payloads().len(), run.retried()), (2, 1), "{format}");
    }
    // Events may be errors.
    let events = "{\"event\": \"a\"}\n{\"event\": \"b\", \"error\": \"x\"}\n";
    assert_eq!(of_lines("ndjson", vec![Answer::json(events)]).ok().payloads().len(), 2);
    let web = in_turn(vec![Answer::json("{\"id\": 1}\n{\"status\": \"aborted\"}\n")]);
    let source = json!({"kind": "http", "url": web.url, "format": "ndjson", "fail_when": [{"pointer": "/status", "values": ["aborted"]}]});
    let text = read(&source).error_text();
    assert!(text.contains("`/status` in its body (fail_when)"), "{text}");
}

#[test]
fn errors_beside_the_data_are_told_or_fail_the_run() {
    let web = in_turn(vec![Answer::json(
        r#"{"data": {"rows": [1]}, "errors": [{"message": "field x is gone"}]}"#,
    )]);
    let source = |more: Value| {
        let mut source = settings(&web.url, more);
        source["records"] = json!("/data/rows");
        source
    };
    let run = read(&source(json!({}))).ok();
    assert_eq!(run.payloads(), ["1"]);
    let note = format!(
        "there are errors beside the data, at `/errors` of {}/: [{{\"message\": \"field x is gone\"}}] (fail_when => '[\"/errors\"]' makes them fail the run)",
        web.url
    );
    assert_eq!(run.remarks, [note]);
    let text = read(&source(json!({"fail_when": [{"pointer": "/errors"}]}))).error_text();
    assert!(text.contains("(fail_when)"), "{text}");
}

#[test]
fn an_answer_that_drips_is_given_up_and_asked_again_for() {
    let web = in_turn(vec![
        page("1,".repeat(200).trim_end_matches(','))
            .framed(Framing::Drip(Duration::from_millis(20))),
        page("1"),
    ]);
    let run = read(&settings(&web.url, json!({"read_timeout": 1}))).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1));
}

#[test]
fn an_answer_has_to_come_within_its_time() {
    let web = in_turn(vec![
        page("1,".repeat(2000).trim_end_matches(','))
            .framed(Framing::Drip(Duration::from_millis(1))),
        page("1"),
    ]);
    let run = read(&settings(&web.url, json!({"request_timeout": 1}))).ok();
    assert_eq!((run.payloads(), run.retried()), (vec!["1".to_owned()], 1));
}

#[test]
fn lines_over_tls_that_end_without_a_word_are_cut() {
    let lines = Answer::json("{\"i\": 1}\n{\"i\": 2}\n");
    let cut = lines.clone().framed(Framing::CutClose(9));
    for (first, retried) in [(lines.clone().framed(Framing::Close), 0), (cut, 1)] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let good = lines.clone();
        let (web, certificate) = Web::serve_tls(move |_| {
            match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => first.clone(),
                _ => good.clone(),
            }
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), certificate).unwrap();
        let source =
            json!({"kind": "http", "url": web.url, "format": "ndjson", "ca_file": file.path()});
        let run = read(&source).ok();
        assert_eq!((run.payloads().len(), run.retried()), (2, retried));
    }
}
