//! Shapes of answers and requests beyond an array at a pointer.

use serde_json::{Value, json};

use super::support::{WIDE, in_turn, page, read, read_from, read_in_pieces, settings};
use crate::support::web::{Answer, Web, pairs};

#[test]
fn one_object_may_be_the_record() {
    let body = r#"{"data": {"id": 1, "x": NaN}, "total": 1}"#;
    let web = in_turn(vec![Answer::json(body)]);
    let run = read(&settings(&web.url, json!({"shape": "object"}))).ok();
    assert_eq!(run.payloads(), [r#"{"id": 1, "x": NaN}"#]);
    assert_eq!(run.records[0].position, 1);
    let whole = json!({"shape": "object", "records": ""});
    assert_eq!(read(&settings(&web.url, whole)).ok().payloads(), [body]);
    let text = read(&settings(&web.url, json!({}))).error_text();
    assert!(text.contains("shape => 'object'"), "{text}");
    let web = in_turn(vec![page("1")]);
    let text = read(&settings(&web.url, json!({"shape": "object"}))).error_text();
    assert!(
        text.contains("`/data` in the answer of") && text.contains("is not an object"),
        "{text}"
    );
}

#[test]
fn members_of_an_object_may_be_the_records() {
    let web = in_turn(vec![Answer::json(r#"{"data": {"a1": {"n":1.50}, "b \"2\"" : [2]}}"#)]);
    let source = settings(&web.url, json!({"shape": "members"}));
    let run = read(&source).ok();
    assert_eq!(run.payloads(), [r#"{"a1": {"n":1.50}}"#, r#"{"b \"2\"" : [2]}"#]);
    assert_eq!(read_in_pieces(&source, 1).unwrap(), run.records);
}

#[test]
fn a_body_may_be_a_form() {
    let web =
        Web::serve(|request| match pairs(&request.body).iter().find(|(name, _)| name == "page") {
            Some((_, page)) if page == "1" => page_of(request.header("content-type")),
            _ => page(""),
        });
    let source = settings(
        &web.url,
        json!({"method": "POST", "body": {"q": "a b&c", "tag": ["x", "y"]}, "body_format": "form",
            "paging": {"model": "page_number", "param": "page", "send_in": "body"}, "prefetch": 1}),
    );
    assert_eq!(read(&source).ok().payloads(), ["\"application/x-www-form-urlencoded\""]);
    assert_eq!(web.requests()[0].body, "q=a+b%26c&tag=x&tag=y&page=1");
}

fn page_of(text: Option<&str>) -> Answer {
    page(&json!(text).to_string())
}

fn asked(web: &Web, name: &str) -> Vec<String> {
    let requests = web.requests();
    let asked = requests.iter().map(|request| request.param(name).unwrap_or("-").to_owned());
    asked.collect()
}

#[test]
fn a_mark_is_written_as_the_source_wants_it() {
    let at = r#"{"at": "2026-03-01T09:00:00.9999+01:00"}"#;
    for (more, expected) in [
        (json!({"format": "unix"}), "1772352000"),
        (json!({"format": "date"}), "2026-03-01"),
        (json!({"format": "%Y%m%dT%H%M%SZ"}), "20260301T080000Z"),
        (json!({"format": "utc", "template": "at ge {since}"}), "at ge 2026-03-01T08:00:00Z"),
    ] {
        let web = in_turn(vec![page(at)]);
        let mut source = settings(&web.url, json!({"since": {"param": "$filter", "field": "/at"}}));
        for (key, value) in more.as_object().unwrap() {
            source["since"][key] = value.clone();
        }
        let first = read(&source).ok();
        assert_eq!(first.cursor.as_ref().unwrap()["mark"], "2026-03-01T09:00:00.9999+01:00");
        read_from(&source, first.cursor, WIDE).ok();
        assert_eq!(asked(&web, "$filter"), ["-", expected]);
    }
    let web = in_turn(vec![page("")]);
    let source =
        settings(&web.url, json!({"since": {"param": "s", "field": "/at", "format": "%!"}}));
    assert!(read(&source).error.unwrap().kind().exit_code() == 2);
}

/// Records at noon of each of the first days of 2026, for requests with both ends.
fn days() -> Web {
    Web::serve(|request| {
        let (from, to) =
            (request.param("from").unwrap().to_owned(), request.param("to").unwrap().to_owned());
        let days = (1..=4).map(|day| format!("2026-01-{day:02}T12:00:00Z"));
        let chosen: Vec<String> = days
            .filter(|at| *at >= from && *at < to)
            .map(|at| format!(r#"{{"at": "{at}"}}"#))
            .collect();
        let second = request.param("page") == Some("2");
        page(&if second { String::new() } else { chosen.join(",") })
    })
}

fn by_day(web: &Web, more: Value) -> Value {
    let mut source = settings(
        &web.url,
        json!({"since": {"param": "from", "until_param": "to", "field": "/at", "start": "2026-01-01T00:00:00Z", "step": 86_400},
            "paging": {"model": "page_number", "param": "page"}, "prefetch": 1}),
    );
    for (key, value) in more.as_object().unwrap() {
        source[key] = value.clone();
    }
    source
}

#[test]
fn steps_follow_each_other_and_a_run_goes_on_where_it_was_broken_off() {
    let web = days();
    let to = json!({"range": {"to": "2026-01-05T00:00:00Z"}});
    let run = read(&by_day(&web, to.clone())).ok();
    assert_eq!(run.payloads().len(), 4);
    assert_eq!(run.cursor, Some(json!({"done": true})));
    let from = asked(&web, "from");
    assert_eq!(from.len(), 8, "two pages a day");
    assert_eq!(
        (from[2].as_str(), asked(&web, "to")[2].as_str()),
        ("2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
    );
    assert_eq!(read_in_pieces(&by_day(&web, to), 1).unwrap(), run.records);
}

#[test]
fn steps_end_at_the_moment_at_which_the_sweep_began() {
    let web = Web::serve(|_| page(""));
    let day_before_yesterday =
        std::time::SystemTime::now() - std::time::Duration::from_secs(200_000);
    let start = httpdate::fmt_http_date(day_before_yesterday);
    let unix = day_before_yesterday.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let source = settings(
        &web.url,
        json!({"since": {"param": "from", "until_param": "to", "field": "/at", "kind": "unix", "start": unix.to_string(), "step": 86_400}}),
    );
    read(&source).ok();
    assert_eq!(web.requests().len(), 3, "{start}");
    assert_eq!(asked(&web, "to")[0], (unix + 86_400).to_string());
}
