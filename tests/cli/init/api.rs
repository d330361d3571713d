//! HTTP APIs: where the records are, and how to get from page to page.

use super::Desk;
use crate::support::web::Answer;
use crate::support::{Api, Web};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn every_paging_model_is_found_by_walking_it() {
    let desk = Desk::new().await;
    let web = Web::serve(|request| Api::orders(250, 100).answer(request));
    for (path, paging) in [
        ("all", "records => '/data')"),
        ("page", "sluice.page_number_paging(param => 'page', pages => '/pages')"),
        (
            "offset",
            "sluice.offset_paging(param => 'offset', size_param => 'limit', size => 100, total => '/total')",
        ),
        ("cursor", "sluice.cursor_paging(param => 'after', next => '/meta/next')"),
        ("cursor-header", "sluice.cursor_paging(param => 'after', next => 'X-Next')"),
        ("links", "sluice.next_link_paging(next => '/links/next')"),
        ("link-header", "sluice.link_header_paging(rel => 'next')"),
    ] {
        let url = format!("{}/{path}", web.url);
        let (text, rows) = desk.all(&[&url], &path.replace('-', "_"));
        assert_eq!(rows, 250, "{text}");
        assert!(text.contains(paging), "{paging}\n{text}");
        assert!(!text.contains("choose: paging"), "{text}");
        assert!(text.contains("amount numeric") && text.contains("at timestamptz"), "{text}");
    }
}

/// A file with it would go to git, and `apply` refuses it.
#[tokio::test]
async fn a_credential_in_the_url_is_refused_and_not_repeated() {
    let desk = Desk::new().await;
    for (url, what, next) in [
        (
            "http://127.0.0.1:9/orders?q=1&token=s3cret",
            "\"token\" in the URL would keep a secret",
            "http_source(url => 'http://127.0.0.1:9/orders?q=1', auth => sluice.param_auth(param => 'token', env => ",
        ),
        (
            "http://127.0.0.1:9/?X-Api-Key=s3cret",
            "\"X-Api-Key\" in the URL would keep a secret",
            "http_source(url => 'http://127.0.0.1:9/', auth => sluice.param_auth(param => 'X-Api-Key', env => ",
        ),
        (
            "https://ann:s3cret@127.0.0.1:9/orders",
            "what stands before the \"@\" in the URL would keep a secret",
            "http_source(url => 'https://127.0.0.1:9/orders', auth => sluice.basic_auth(env => ",
        ),
    ] {
        let refusal = desk.refusal(&[url]);
        assert!(refusal.contains(what) && refusal.contains(next), "{refusal}");
        assert!(!refusal.contains("s3cret"), "{refusal}");
    }
}

/// Records 1 to 30 from behind `start`, so many of them.
fn numbers(start: usize, size: usize) -> Vec<serde_json::Value> {
    (start..30.min(start + size)).map(|n| json!({"id": n + 1, "name": format!("n{n}")})).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn apis_of_other_habits_are_walked_too() {
    let desk = Desk::new().await;
    let web = Web::serve(|request| {
        let number = |name: &str| request.param(name).and_then(|text| text.parse::<usize>().ok());
        let body = match request.path.as_str() {
            // Like Stripe: the last record leads on.
            "/last" => {
                let start = number("starting_after").unwrap_or(0);
                json!({"object": "list", "data": numbers(start, 10), "has_more": start + 10 < 30})
            }
            // From 0, and without a word of how many there are.
            "/from-zero" => json!(numbers(number("page").unwrap_or(0) * 10, 10)),
            // The size is in the URL.
            "/sized" => {
                let size = number("per_page").unwrap_or(30);
                json!({"items": numbers((number("page").unwrap_or(1) - 1) * size, size), "total_count": 30})
            }
            // HAL, with a page number that leads nowhere else.
            "/hal" => {
                let page = number("page").unwrap_or(1);
                let next = (page < 3).then(|| json!({"href": format!("/hal?page={}", page + 1)}));
                json!({"_embedded": {"things": numbers((page - 1) * 10, 10)}, "_links": {"next": next}})
            }
            "/relay" => {
                let start = number("after").unwrap_or(0);
                json!({"pageInfo": {"hasNextPage": start + 10 < 30, "endCursor": (start + 10).to_string()},
                    "nodes": numbers(start, 10)})
            }
            "/google" => {
                let start = number("pageToken").unwrap_or(0);
                let next = (start + 10 < 30).then(|| (start + 10).to_string());
                json!({"results": numbers(start, 10), "nextPageToken": next, "other": [{"x": 1}]})
            }
            "/lines" => {
                let lines: Vec<String> = numbers(0, 30).iter().map(ToString::to_string).collect();
                return Answer::json(lines.join("\n"))
                    .header("Content-Type", "application/x-ndjson");
            }
            _ => return Answer::status(404, "{}"),
        };
        Answer::json(body.to_string())
    });
    for (path, wanted) in [
        ("last", "cursor_paging(param => 'starting_after', last => '/id', more => '/has_more')"),
        ("from-zero", "page_number_paging(param => 'page', start => 0)"),
        ("sized?per_page=10", "size_param => 'per_page', size => 10"),
        (
            "hal",
            "records => '/_embedded/things', paging => sluice.next_link_paging(next => '/_links/next/href')",
        ),
        (
            "relay",
            "cursor_paging(param => 'after', next => '/pageInfo/endCursor', more => '/pageInfo/hasNextPage')",
        ),
        ("google", "cursor_paging(param => 'pageToken', next => '/nextPageToken')"),
        ("lines", "format => 'ndjson'"),
    ] {
        let url = format!("{}/{path}", web.url);
        let name = path.split('?').next().unwrap().replace('-', "_");
        let (text, rows) = desk.all(&[&url], &name);
        assert_eq!(rows, 30, "{text}");
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let text = desk.init(&[&format!("{}/google", web.url)]);
    assert!(text.contains("-- choose: records => '/other'"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_list_or_no_api_is_told() {
    let desk = Desk::new().await;
    let web = Web::serve(|request| match request.path.as_str() {
        "/one" => Answer::json(r#"{"id": 1, "name": "a"}"#),
        "/more" => Answer::json(format!(r#"{{"total": 90, "data": {}}}"#, json!(numbers(0, 10)))),
        "/page.html" => Answer::json("<!doctype html><p>Hello").header("Content-Type", "text/html"),
        "/secret" if request.header("authorization") == Some("Bearer s3cret") => {
            Answer::json(json!({"data": numbers(0, 30)}).to_string())
        }
        "/secret" => Answer::status(401, "{\"error\": \"who are you?\"}"),
        _ => Answer::json("[]"),
    });
    let at = |path: &str| format!("{}{path}", web.url);
    let (text, rows) = desk.all(&[&at("/one")], "one");
    assert!(text.contains("shape => 'object'") && rows == 1, "{text}");
    let text = desk.init(&[&at("/more")]);
    assert!(text.contains("-- choose: paging, as `/total` shows"), "{text}");
    assert!(desk.refusal(&[&at("/page.html")]).contains("it begins: <!doctype html>"));
    assert!(desk.refusal(&[&at("/none")]).contains("there are no records in"));
    let args = ["init", &at("/secret")];
    let done = desk.sluice(&args).exits(1);
    assert!(done.stderr.contains("401"), "{}", done.stderr);

    // What a URL cannot say, a source can.
    let call = format!(
        "sluice.http_source(url => '{}', auth => sluice.bearer_auth(env => 'TOKEN'))",
        at("/secret")
    );
    let sluice =
        crate::support::Sluice::on(&desk.db).env("TOKEN", "s3cret").current_dir(desk.path());
    let text = sluice.args(["init", "--source", &call]).run().exits(0).stdout;
    assert!(
        text.contains("records => '/data'")
            && text.contains("auth => ")
            && !text.contains("s3cret"),
        "{text}"
    );
    desk.write("secret.sql", &text);
    desk.sluice(&["apply", "secret.sql"]).exits(0);
    let sluice =
        crate::support::Sluice::on(&desk.db).env("TOKEN", "s3cret").current_dir(desk.path());
    assert_eq!(sluice.args(["run", "secret"]).run().exits(0).summary().count("inserted"), 30);
}
