//! Every paging model, and every way in which pages end.

use serde_json::json;

use super::support::{page, read, read_from, rows, serve, settings};
use crate::support::Api;
use crate::support::api::MODELS;
use crate::support::web::{Answer, Web};

#[test]
fn every_model_reads_every_record_as_it_came() {
    let (web, api) = serve(Api::orders(57, 10));
    for (path, _) in MODELS {
        let run = read(&api.source(&web.url, path)).ok();
        assert_eq!(run.payloads(), api.records, "{path}");
        assert_eq!(run.batches.len(), 1, "{path}: small pages are gathered");
        assert_eq!(run.cursor, Some(json!({"done": true})), "{path}");
        assert_eq!(run.remarks, Vec::<String>::new(), "{path}");
    }
}

#[test]
fn every_model_ends_when_the_last_page_is_full_or_there_is_nothing() {
    for count in [0, 10, 20] {
        let (web, api) = serve(Api::orders(count, 10));
        for (path, _) in MODELS {
            let run = read(&api.source(&web.url, path)).ok();
            assert_eq!(run.payloads().len(), count, "{path} {count}");
        }
    }
}

#[test]
fn batches_hold_many_pages_or_part_of_one() {
    let (web, api) = serve(Api::orders(57, 10));
    for (path, _) in MODELS {
        for (size, batches) in [(3, 19), (10, 6), (25, 3), (1000, 1)] {
            let run = read_from(&api.source(&web.url, path), None, rows(size)).ok();
            assert_eq!(run.payloads(), api.records, "{path} {size}");
            let sizes: Vec<usize> =
                run.batches.iter().map(|batch| batch.rows).filter(|rows| *rows > 0).collect();
            assert_eq!(sizes.len(), batches, "{path} {size}: {sizes:?}");
            assert!(sizes.iter().all(|rows| *rows <= size), "{path} {size}: {sizes:?}");
        }
    }
}

#[test]
fn a_page_tells_where_its_records_came_from() {
    let (web, api) = serve(Api::orders(12, 10));
    let run = read(&api.source(&web.url, "/cursor")).ok();
    assert_eq!(run.records[0].origin, format!("{}/cursor", web.url));
    assert_eq!(run.records[11].origin, format!("{}/cursor?after=t10", web.url));
    assert_eq!((run.records[9].position, run.records[11].position), (10, 2));
    let run = read(&api.source(&web.url, "/search")).ok();
    assert_eq!(run.records[11].origin, format!("{}/search (token `t10`)", web.url));
}

#[test]
fn the_request_is_the_one_that_was_asked_for() {
    let (web, api) = serve(Api::orders(12, 10));
    let mut source = api.source(&web.url, "/search");
    source["params"] = json!({"q": "a b&c", "tag": ["x", "y"], "n": 5});
    source["headers"] = json!({"X-Version": "2"});
    read(&source).ok();
    let requests = web.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        assert_eq!(request.method, "POST");
        let query: Vec<(&str, &str)> =
            request.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(query, [("q", "a b&c"), ("tag", "x"), ("tag", "y"), ("n", "5")]);
        assert_eq!(request.header("x-version"), Some("2"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("accept-encoding"), Some("gzip, br, zstd"));
    }
    assert_eq!(requests[0].body, r#"{"query":{"status":"any"}}"#);
    assert_eq!(requests[1].body, r#"{"query":{"status":"any","after":"t10"}}"#);
}

fn pages_asked(web: &Web) -> Vec<String> {
    let mut pages: Vec<String> =
        web.requests().iter().map(|r| r.param("page").unwrap().to_owned()).collect();
    pages.sort();
    pages
}

#[test]
fn the_number_of_pages_or_records_spares_the_empty_page() {
    for (paging, expected) in [
        (json!({"model": "page_number", "param": "page"}), 4),
        (json!({"model": "page_number", "param": "page", "pages": "/pages"}), 3),
        (json!({"model": "page_number", "param": "page", "total": "/total"}), 3),
        (json!({"model": "page_number", "param": "page", "total": "X-Total-Count"}), 3),
        (json!({"model": "page_number", "param": "page", "size": 10, "ends_at": "short_page"}), 3),
    ] {
        let (web, api) = serve(Api::orders(25, 10));
        let source =
            settings(&format!("{}/page", web.url), json!({"paging": paging, "prefetch": 1}));
        assert_eq!(read(&source).ok().payloads(), api.records, "{paging}");
        assert_eq!(pages_asked(&web).len(), expected, "{paging}");
    }
}

#[test]
fn a_wrong_guess_ahead_changes_nothing() {
    // The server gives 7 where 10 are asked for: every request sent ahead was wrong.
    for prefetch in [1, 2, 5, 16] {
        let (web, api) = serve(Api::orders(57, 7));
        let paging = json!({"model": "offset", "param": "offset", "size_param": "limit", "size": 10, "total": "/total"});
        let source = settings(
            &format!("{}/offset", web.url),
            json!({"paging": paging, "prefetch": prefetch}),
        );
        assert_eq!(read(&source).ok().payloads(), api.records, "{prefetch}");
    }
}

#[test]
fn the_next_pages_are_on_their_way_before_the_first_has_come() {
    // Page 1 is not answered before page 2 was asked for.
    let asked = std::sync::Arc::new((std::sync::Mutex::new(false), std::sync::Condvar::new()));
    let api = Api::orders(20, 10);
    let gate = std::sync::Arc::clone(&asked);
    let web = Web::serve(move |request| {
        let (second, condvar) = &*gate;
        match request.param("page") {
            Some("1") => {
                drop(condvar.wait_while(second.lock().unwrap(), |second| !*second).unwrap())
            }
            _ => {
                *second.lock().unwrap() = true;
                condvar.notify_all();
            }
        }
        api.answer(request)
    });
    let paging = json!({"model": "page_number", "param": "page"});
    let source = settings(&format!("{}/page", web.url), json!({"paging": paging}));
    assert_eq!(read(&source).ok().records.len(), 20);
}

/// A reader that takes its time is not run away from.
#[test]
fn pages_are_fetched_ahead_only_so_far() {
    for (prefetch, size, bound) in [(2, 1_000, 2 + 2 + 3), (16, 6 << 20, 16 + 3 + 3)] {
        for paging in [
            json!({"model": "page_number", "param": "page"}),
            json!({"model": "cursor", "param": "page", "next": "/next"}),
        ] {
            let web = Web::serve(move |request| {
                let number: usize = request.param("page").map_or(1, |n| n.parse().unwrap());
                let pad = "p".repeat(if number > 40 { 0 } else { size });
                let record = if number > 40 { String::new() } else { format!("\"{number}{pad}\"") };
                let next = if number > 40 { json!(null) } else { json!((number + 1).to_string()) };
                Answer::json(format!("{{\"data\": [{record}], \"next\": {next}}}"))
            });
            let source = settings(&web.url, json!({"paging": paging, "prefetch": prefetch}));
            let mut source = super::support::open_at(&source, None, rows(1), 20).unwrap();
            let mut taken = 0;
            while let Some(batch) = source.next_batch().unwrap() {
                taken += batch.rows;
                std::thread::sleep(std::time::Duration::from_millis(5));
                let ahead = web.requests().len() - taken;
                assert!(ahead <= bound, "{paging} {prefetch}: {ahead} pages ahead");
            }
            assert_eq!(taken, 40);
        }
    }
}

#[test]
fn no_content_is_a_page_without_records() {
    let web = Web::serve(|request| match request.param("page") {
        Some("1") => page("1, 2"),
        _ => Answer::status(204, ""),
    });
    let source = settings(&web.url, json!({"paging": {"model": "page_number", "param": "page"}}));
    assert_eq!(read(&source).ok().payloads(), ["1", "2"]);
}

#[test]
fn an_empty_page_with_a_token_is_not_the_end() {
    let web = Web::serve(|request| match request.param("after") {
        None => Answer::json(r#"{"data": [1], "next": "a"}"#),
        Some("a") => Answer::json(r#"{"data": [], "next": "b"}"#),
        Some("b") => Answer::json(r#"{"data": null, "next": 12345678901234567890123}"#),
        Some(token) => Answer::json(format!("{{\"data\": [{token}], \"next\": null}}")),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}}),
    );
    assert_eq!(read(&source).ok().payloads(), ["1", "12345678901234567890123"]);
}

#[test]
fn a_token_of_the_last_page_does_not_count_when_there_is_no_more() {
    let web = Web::serve(|request| match request.param("after") {
        None => Answer::json(r#"{"data": [1], "next": "a", "more": true}"#),
        _ => Answer::json(r#"{"data": [2], "next": "b", "more": false}"#),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next", "more": "/more"}}),
    );
    assert_eq!(read(&source).ok().payloads(), ["1", "2"]);
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn pages_that_hold_less_than_the_source_counts_are_remarked_on() {
    let web = Web::serve(|request| match request.param("page") {
        Some("1") => Answer::json(r#"{"data": [1, 2], "total": 5}"#),
        _ => Answer::json(r#"{"data": [], "total": 5}"#),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "page_number", "param": "page", "total": "/total"}}),
    );
    let run = read(&source).ok();
    assert_eq!(
        run.remarks,
        [
            "the source counts 5 records, and its pages held 2: rows may have moved between pages while they were read"
        ]
    );
}

#[test]
fn a_pointer_that_leads_nowhere_on_the_only_page_is_remarked_on() {
    let (web, api) = serve(Api::orders(25, 10));
    let mut source = api.source(&web.url, "/cursor");
    source["paging"]["next"] = json!("/meta/nxt");
    let run = read(&source).ok();
    assert_eq!(run.records.len(), 10);
    assert!(
        run.remarks[0].starts_with("the first page does not say where the next one is"),
        "{:?}",
        run.remarks
    );
}
