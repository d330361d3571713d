//! Pages that go round in a circle, and links that lead away.

use serde_json::json;

use super::support::{in_turn, page, read, read_from, rows, serve, settings};
use crate::support::Api;
use crate::support::web::{Answer, Web};

#[test]
fn a_token_that_comes_twice_is_an_error() {
    let web = Web::serve(|request| match request.param("after") {
        None => Answer::json(r#"{"data": [1], "next": "a"}"#),
        Some("a") => Answer::json(r#"{"data": [2], "next": "b"}"#),
        _ => Answer::json(r#"{"data": [3], "next": "a"}"#),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    let run = read(&source);
    assert_eq!(run.payloads(), ["1", "2", "3"], "what came before is loaded");
    let text = run.error_text();
    assert!(text.starts_with("the pages go round in a circle: token `a` came a second time\n  next:  check the paging"), "{text}");
    assert_eq!(web.requests().len(), 3);
}

#[test]
fn an_identical_page_is_an_error() {
    for paging in [
        json!({"model": "page_number", "param": "p"}),
        json!({"model": "offset", "param": "o", "size_param": "l", "size": 2}),
    ] {
        let web = in_turn(vec![page("1, 2")]);
        let run = read(&settings(&web.url, json!({"paging": paging, "prefetch": 1})));
        assert_eq!(run.payloads(), ["1", "2"]);
        assert!(
            run.error_text().contains("holds the same records as an earlier page"),
            "{}",
            run.error_text()
        );
        assert_eq!(web.requests().len(), 2);
    }
}

#[test]
fn fresh_tokens_for_old_pages_are_a_circle_too() {
    let web = Web::serve(|request| {
        Answer::json(format!(
            "{{\"data\": [{}], \"next\": \"t{}\"}}",
            request.number % 3,
            request.number
        ))
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    let run = read(&source);
    assert_eq!(run.payloads(), ["1", "2", "0"]);
    assert!(run.error_text().contains("go round in a circle"), "{}", run.error_text());
}

#[test]
fn a_link_that_leads_to_itself_is_an_error() {
    let web = in_turn(vec![
        Answer::json(r#"{"data": [1], "next": "/x"}"#),
        Answer::json(r#"{"data": [2], "next": "/x"}"#),
    ]);
    let run = read(&settings(&web.url, json!({"paging": {"model": "next_link", "next": "/next"}})));
    assert!(
        run.error_text().contains(&format!("link {}/x came a second time", web.url)),
        "{}",
        run.error_text()
    );
}

/// A server whose first page leads to another server, and that server.
fn two_servers() -> (Web, Web) {
    let other = in_turn(vec![page("2")]);
    let link = format!("{}/more", other.url);
    let first = Web::serve(move |_| {
        Answer::json(format!("{{\"data\": [1], \"next\": \"{link}\"}}"))
            .header("Link", &format!("<{link}>; rel=next"))
    });
    (first, other)
}

#[test]
fn a_link_to_another_host_is_refused_before_anything_is_sent_there() {
    for paging in [
        json!({"model": "next_link", "next": "/next"}),
        json!({"model": "link_header", "rel": "next"}),
    ] {
        let (first, other) = two_servers();
        let run = read(&settings(&first.url, json!({"paging": paging})));
        let text = run.error_text();
        assert!(
            text.contains(&format!("leads away from {}: to {}/more", first.url, other.url)),
            "{text}"
        );
        assert!(text.contains(&format!("allow_hosts => '{{{}}}'", other.host())), "{text}");
        assert_eq!(other.requests().len(), 0);
    }
}

#[test]
fn an_allowed_host_gets_neither_credentials_nor_headers() {
    let (first, other) = two_servers();
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cr3t-value\n").unwrap();
    let source = settings(
        &first.url,
        json!({"paging": {"model": "next_link", "next": "/next"}, "allow_hosts": [other.host()], "headers": {"X-Version": "2"},
            "auth": {"scheme": "bearer", "file": secret.path()}}),
    );
    assert_eq!(read(&source).ok().payloads(), ["1", "2"]);
    assert_eq!(first.requests()[0].header("authorization"), Some("Bearer s3cr3t-value"));
    assert_eq!(first.requests()[0].header("x-version"), Some("2"));
    let request = &other.requests()[0];
    assert_eq!((request.header("authorization"), request.header("x-version")), (None, None));
}

#[test]
fn a_cursor_that_leads_to_another_host_is_refused_too() {
    let (web, api) = serve(Api::orders(30, 10));
    let source = api.source(&web.url, "/links");
    let mut cursor = read_from(&source, None, rows(10)).ok().batches[0].cursor.clone();
    let other = in_turn(vec![page("2")]);
    cursor["next"] = json!({"link": format!("{}/more", other.url)});
    let run = read_from(&source, Some(cursor), rows(10));
    assert!(
        run.error_text().contains("the page to go on with leads away from"),
        "{}",
        run.error_text()
    );
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn redirects_are_followed_within_bounds_and_to_the_same_host() {
    let (api, records) = {
        let (web, api) = serve(Api::orders(12, 10));
        (web, api.records.clone())
    };
    // To another path of the same server.
    let hop = Web::serve(|request| match request.path.as_str() {
        "/a" => Answer::status(302, "").header("Location", "b?x=1"),
        "/b" => Answer::status(308, "").header("Location", "/c"),
        _ => page("7"),
    });
    assert_eq!(read(&settings(&format!("{}/a", hop.url), json!({}))).ok().payloads(), ["7"]);
    let run = read(&settings(&format!("{}/a", hop.url), json!({"max_redirects": 1})));
    assert!(run.error_text().contains("more than max_redirects = 1 times"), "{}", run.error_text());
    // To another server.
    let target = format!("{}/all", api.url);
    let away = Web::serve(move |_| Answer::status(307, "").header("Location", &target));
    let run = read(&settings(&away.url, json!({})));
    assert!(run.error_text().contains("a redirect leads away from"), "{}", run.error_text());
    assert_eq!(api.requests().len(), 0);
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cr3t-value\n").unwrap();
    let source = settings(
        &away.url,
        json!({"allow_hosts": [api.host()], "auth": {"scheme": "header", "header": "X-Key", "file": secret.path()}}),
    );
    assert_eq!(read(&source).ok().payloads(), records);
    assert_eq!(away.requests().last().unwrap().header("x-key"), Some("s3cr3t-value"));
    assert_eq!(api.requests()[0].header("x-key"), None);
}

#[test]
fn a_redirect_without_end_is_an_error() {
    let web = in_turn(vec![Answer::status(302, "").header("Location", "/again")]);
    let run = read(&settings(&web.url, json!({})));
    assert!(run.error_text().contains("more than max_redirects = 5 times"), "{}", run.error_text());
    assert_eq!(web.requests().len(), 6);
}
