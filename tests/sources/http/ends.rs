//! When pages end: what says so, what only seems to, and what is missing then.

use serde_json::{Value, json};

use super::support::{Run, WIDE, page, read, read_from, settings};
use crate::support::web::{Answer, Request, Web};

/// A source by page number.
fn by_number(web: &Web, more: Value) -> Value {
    let mut paging = json!({"model": "page_number", "param": "page"});
    merge(&mut paging, more);
    settings(&web.url, json!({"paging": paging, "prefetch": 1}))
}

fn by_token(web: &Web, more: Value) -> Value {
    let mut paging = json!({"model": "cursor", "param": "after", "next": "/next"});
    merge(&mut paging, more);
    settings(&web.url, json!({"paging": paging}))
}

fn merge(to: &mut Value, more: Value) {
    for (key, value) in more.as_object().unwrap() {
        to[key] = value.clone();
    }
}

/// A server of numbered pages; the last of `pages` is given for all that follow.
fn numbered(pages: &[&str]) -> Web {
    let pages: Vec<String> = pages.iter().map(|&page| page.to_owned()).collect();
    Web::serve(move |request: &Request| {
        let number: usize = request.param("page").map_or(1, |n| n.parse().unwrap());
        match pages[(number - 1).min(pages.len() - 1)].as_str() {
            "404" => Answer::status(404, "no such page"),
            "400" => Answer::status(400, "no such page"),
            body => Answer::json(body),
        }
    })
}

/// What is waited for, as the batches say.
fn spoilt(run: &Run) -> Option<&str> {
    run.batches.last()?.spoilt_by.as_deref()
}

#[test]
fn a_total_that_a_full_page_reaches_does_not_hide_what_follows() {
    // The count is cached, or stops at a limit.
    for (first, last) in [
        (r#"{"data": [1, 2], "total": 4}"#, r#"{"data": [], "total": 4}"#),
        (r#"{"data": [1, 2], "total": 2}"#, r#"{"data": [], "total": 2}"#),
    ] {
        let web = numbered(&[
            first,
            r#"{"data": [3, 4], "total": 4}"#,
            r#"{"data": [5, 6], "total": 4}"#,
            last,
        ]);
        let run = read(&by_number(&web, json!({"total": "/total"}))).ok();
        assert_eq!(run.payloads().len(), 6, "{first}");
        assert_eq!(run.remarks, Vec::<String>::new());
    }
    let web = numbered(&[
        r#"{"data": [1, 2], "pages": 1}"#,
        r#"{"data": [3], "pages": 1}"#,
        r#"{"data": []}"#,
    ]);
    assert_eq!(read(&by_number(&web, json!({"pages": "/pages"}))).ok().payloads().len(), 3);
}

#[test]
fn a_page_that_was_asked_for_to_make_sure_may_not_be_there() {
    for beyond in ["404", "400", r#"{"data": [], "total": 4}"#, r#"{"data": [3, 4], "total": 4}"#] {
        let web = numbered(&[
            r#"{"data": [1, 2], "total": 4}"#,
            r#"{"data": [3, 4], "total": 4}"#,
            beyond,
        ]);
        let run = read(&by_number(&web, json!({"total": "/total"}))).ok();
        assert_eq!(run.payloads(), ["1", "2", "3", "4"], "{beyond}");
        assert_eq!(run.cursor, Some(json!({"done": true})));
        assert_eq!(web.requests().len(), 3);
    }
    // The last page is short: nothing to make sure of.
    let web = numbered(&[r#"{"data": [1, 2], "total": 3}"#, r#"{"data": [3], "total": 3}"#, "400"]);
    assert_eq!(read(&by_number(&web, json!({"total": "/total"}))).ok().payloads().len(), 3);
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn an_empty_page_is_not_the_end_while_something_says_more() {
    let pages = [
        r#"{"data": [1, 2], "total": 6, "more": true}"#,
        r#"{"data": [], "total": 6, "more": true}"#,
        r#"{"data": [3, 4], "total": 6, "more": false}"#,
        r#"{"data": [], "total": 6, "more": false}"#,
    ];
    for paging in [json!({"total": "/total"}), json!({"more": "/more"})] {
        let web = numbered(&pages);
        let run = read(&by_number(&web, paging.clone())).ok();
        assert_eq!(run.payloads(), ["1", "2", "3", "4"], "{paging}");
    }
}

#[test]
fn records_that_a_total_counts_and_no_page_held_are_waited_for() {
    let web = numbered(&[r#"{"data": [1, 2], "total": 5}"#, r#"{"data": [], "total": 5}"#]);
    let run = read(&by_number(&web, json!({"total": "/total"}))).ok();
    assert_eq!(run.payloads().len(), 2);
    let why = "the source counts 5 records, and its pages held 2: rows may have moved between pages while they were read";
    assert_eq!(run.remarks, [why]);
    assert_eq!(spoilt(&run), Some(why));
    // Nothing is there, and the source counts some: one page is enough to see.
    let web = numbered(&[r#"{"data": [], "total": 5}"#]);
    let run = read(&by_number(&web, json!({"total": "/total"}))).ok();
    assert_eq!((run.remarks.len(), web.requests().len()), (1, 1));
}

#[test]
fn a_token_that_leads_to_where_we_are_from_an_empty_page_is_the_end() {
    let web = Web::serve(|request| match request.param("after") {
        None => Answer::json(r#"{"data": [1], "next": "a"}"#),
        _ => Answer::json(r#"{"data": [], "next": "a"}"#),
    });
    assert_eq!(read(&by_token(&web, json!({}))).ok().payloads(), ["1"]);
    let web = Web::serve(|request| match request.path.as_str() {
        "/" => Answer::json(r#"{"data": [1]}"#).header("X-Next", "/more"),
        _ => Answer::json(r#"{"data": []}"#).header("X-Next", "/more"),
    });
    let source = settings(&web.url, json!({"paging": {"model": "next_link", "next": "X-Next"}}));
    assert_eq!(read(&source).ok().payloads(), ["1"], "and the URL may be in any header");
}

#[test]
fn a_link_without_results_is_the_end() {
    let web = Web::serve(|request| {
        let results = request.param("cursor").is_none();
        let data = if results { "1" } else { "2" };
        let link = format!(
            r#"</?cursor=b>; rel="previous"; results="false", </?cursor=c>; rel="next"; results="{results}""#
        );
        page(data).header("Link", &link)
    });
    let source = settings(&web.url, json!({"paging": {"model": "link_header", "rel": "next"}}));
    assert_eq!(read(&source).ok().payloads(), ["1", "2"]);
    assert_eq!(web.requests().len(), 2);
}

#[test]
fn a_page_that_is_not_found_may_be_the_end() {
    let web = numbered(&[r#"{"data": [1]}"#, r#"{"data": [2]}"#, "404"]);
    let run = read(&by_number(&web, json!({"ends_at": "not_found"}))).ok();
    assert_eq!(
        (run.payloads(), run.cursor),
        (vec!["1".to_owned(), "2".to_owned()], Some(json!({"done": true})))
    );
    let text = read(&by_number(&web, json!({}))).error_text();
    assert!(text.contains("ends_at => 'not_found'"), "{text}");
    let gone = numbered(&["404"]);
    let text = read(&by_number(&gone, json!({"ends_at": "not_found"}))).error_text();
    assert!(text.contains("answered 404"), "the first page has to be there: {text}");
}

#[test]
fn a_page_that_comes_again_may_be_the_end_or_nothing_unusual() {
    let web = || numbered(&[r#"{"data": [1]}"#, r#"{"data": [2]}"#]);
    let run = read(&by_number(&web(), json!({"ends_at": "repeated_page"}))).ok();
    assert_eq!(run.payloads(), ["1", "2"]);
    let text = read(&by_number(&web(), json!({}))).error_text();
    assert!(text.contains("allow_equal_pages => true"), "{text}");
    let web = numbered(&[r#"{"data": [7]}"#, r#"{"data": [7]}"#, r#"{"data": []}"#]);
    let mut source = by_number(&web, json!({}));
    source["allow_equal_pages"] = json!(true);
    assert_eq!(read(&source).ok().payloads(), ["7", "7"]);
}

#[test]
fn done_is_the_contrary_of_more() {
    for (flag, more) in [("more", true), ("done", false)] {
        let web = Web::serve(move |request| {
            let is_last = request.param("after").is_some() || request.param("page") == Some("2");
            let record = if is_last { 2 } else { 1 };
            Answer::json(format!(
                r#"{{"data": [{record}], "next": "a", "{flag}": {}}}"#,
                more != is_last
            ))
        });
        let place = json!({flag: format!("/{flag}")});
        assert_eq!(read(&by_token(&web, place.clone())).ok().payloads(), ["1", "2"], "{flag}");
        assert_eq!(read(&by_number(&web, place)).ok().payloads(), ["1", "2"], "{flag}");
        assert_eq!(web.requests().len(), 4);
    }
}

#[test]
fn the_last_record_may_be_the_token() {
    let web = Web::serve(|request| match request.param("after") {
        None => page(r#"{"id": "a"}, {"id": "b"}"#),
        Some("b") => page(r#"{"id": "c"}"#),
        Some("c") => page(""),
        other => panic!("{other:?}"),
    });
    let paging = json!({"model": "cursor", "param": "after", "last": "/id"});
    let source = settings(&web.url, json!({"paging": paging}));
    assert_eq!(read(&source).ok().payloads().len(), 3);
    assert_eq!(web.requests().len(), 3);
}

#[test]
fn a_run_reads_no_more_pages_than_it_may_and_the_next_goes_on() {
    let web =
        numbered(&[r#"{"data": [1]}"#, r#"{"data": [2]}"#, r#"{"data": [3]}"#, r#"{"data": []}"#]);
    let mut source = by_number(&web, json!({}));
    source["max_pages"] = json!(2);
    let first = read(&source).ok();
    assert_eq!(first.payloads(), ["1", "2"]);
    assert_eq!(first.cursor.as_ref().unwrap()["next"], json!({"page": 3}));
    assert!(
        spoilt(&first).is_some_and(|why| why.contains("the next run goes on with page 3")),
        "{:?}",
        spoilt(&first)
    );
    let second = read_from(&source, first.cursor, WIDE).ok();
    assert_eq!(
        (second.payloads(), second.cursor),
        (vec!["3".to_owned()], Some(json!({"done": true})))
    );
}

/// What ends the pages of one run ends them where a run goes on from another, too.
#[test]
fn pages_end_where_a_run_goes_on_as_they_do_in_one() {
    let counted = |number: u32| format!(r#"{{"data": [{number}], "total": 2}}"#);
    for (paging, beyond) in [
        (json!({"ends_at": "repeated_page"}), counted(2)),
        (json!({"total": "/total"}), counted(2)),
        (json!({"total": "/total"}), "404".to_owned()),
        (json!({"total": "/total"}), "400".to_owned()),
    ] {
        let web = numbered(&[&counted(1), &counted(2), &beyond]);
        let mut source = by_number(&web, paging.clone());
        source["max_pages"] = json!(1);
        let (mut cursor, mut payloads) = (None, Vec::new());
        for _ in 0..3 {
            let run = read_from(&source, cursor, WIDE).ok();
            payloads.extend(run.payloads());
            cursor = run.cursor;
        }
        assert_eq!(cursor, Some(json!({"done": true})), "{paging} {beyond}");
        assert_eq!(payloads.len(), 2, "{paging} {beyond}: {payloads:?}");
    }
    let web = numbered(&[r#"{"data": [1]}"#, r#"{"data": [2]}"#]);
    let mut source = by_number(&web, json!({}));
    source["max_pages"] = json!(2);
    let first = read(&source).ok();
    let text = read_from(&source, first.cursor, WIDE).error_text();
    assert!(text.contains("the pages go round in a circle"), "{text}");
}

#[test]
fn a_count_that_an_empty_page_does_not_give_is_that_of_the_page_before() {
    let web = numbered(&[
        r#"{"data": [1, 2], "pages": 3}"#,
        r#"{"data": []}"#,
        r#"{"data": [5], "pages": 3}"#,
    ]);
    let run = read(&by_number(&web, json!({"pages": "/pages"}))).ok();
    assert_eq!(run.payloads(), ["1", "2", "5"]);
}

#[test]
fn a_word_for_no_is_not_taken_for_yes() {
    let serve = |word: &'static str| {
        numbered(&[
            &format!(r#"{{"data": [1], "done": {word}}}"#),
            r#"{"data": [2], "done": "YES"}"#,
        ])
    };
    let done = json!({"done": "/done"});
    for no in [r#""no""#, r#""FALSE""#, r#""N""#, "0.0", "[]", "null"] {
        let run = read(&by_number(&serve(no), done.clone())).ok();
        assert_eq!(run.payloads(), ["1", "2"], "{no}");
    }
    let text = read(&by_number(&serve(r#""nein""#), done)).error_text();
    let said = r#"`/done`, which says whether the pages are done, is neither yes nor no: "nein""#;
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_page_without_the_key_of_its_records_is_empty_if_another_has_it() {
    for pages in [
        [r#"{"data": [1], "next": "a"}"#, r#"{"next": null}"#],
        [r#"{"next": "a"}"#, r#"{"data": [1], "next": null}"#],
    ] {
        let web = Web::serve(move |request| {
            Answer::json(pages[usize::from(request.param("after").is_some())])
        });
        assert_eq!(read(&by_token(&web, json!({}))).ok().payloads(), ["1"], "{pages:?}");
    }
    for (pages, what) in [
        ([r#"{"next": "a"}"#, r#"{"next": null}"#], "nowhere"),
        ([r#"{"data": [1], "next": "a"}"#, r#"{"error": "quota"}"#], "an error"),
    ] {
        let web = Web::serve(move |request| {
            Answer::json(pages[usize::from(request.param("after").is_some())])
        });
        let text = read(&by_token(&web, json!({}))).error_text();
        assert!(text.contains("there is no `/data` in the answer of"), "{what}: {text}");
    }
}

#[test]
fn more_pages_without_paging_are_remarked_on() {
    for (answer, place) in [
        (Answer::json(r#"{"data": [1], "links": {"next": "/?page=2"}}"#), "`/links/next`"),
        (Answer::json(r#"{"data": [1], "has_more": true}"#), "`/has_more`"),
        (Answer::json(r#"{"data": [1], "total": 100}"#), "`/total`"),
        (Answer::json(r#"{"data": [1], "count": 95, "offset": 0}"#), "`/count`"),
        (Answer::json(r#"{"data": [1], "page": 1, "total_pages": 5}"#), "`/total_pages`"),
        (page("1").header("Link", "</?page=2>; rel=\"next\""), "the header Link"),
    ] {
        let web = Web::serve(move |_| answer.clone());
        let run = read(&settings(&web.url, json!({}))).ok();
        let note = format!(
            "{place} of {}/ shows that there are more pages, and no `paging` is set: only this one was read",
            web.url
        );
        assert_eq!(run.remarks, [note]);
    }
    for body in [
        r#"{"data": [1], "next": null, "has_more": false, "total": 1}"#,
        r#"{"data": [1], "message": "ok"}"#,
        r#"{"data": [1, 2], "count": 2, "total_pages": 1}"#,
    ] {
        let web = Web::serve(move |_| Answer::json(body));
        assert_eq!(
            read(&settings(&web.url, json!({}))).ok().remarks,
            Vec::<String>::new(),
            "{body}"
        );
    }
}

/// In any sweep, also the first after the pipeline was defined anew.
#[test]
fn paging_that_does_not_lead_to_the_pages_an_answer_shows_is_remarked_on() {
    let by = |paging| json!({ "paging": paging });
    let does_not_lead =
        "shows that there are more pages, and the `paging` that is set does not lead there";
    for (paging, remark) in [
        (
            json!({"model": "cursor", "param": "after", "next": "/nextcursor"}),
            "the first page does not say where the next one is",
        ),
        (json!({"model": "link_header", "rel": "nxt"}), does_not_lead),
        // The server gives ten at most.
        (
            json!({"model": "page_number", "param": "page", "size_param": "n", "size": 100, "ends_at": "short_page"}),
            does_not_lead,
        ),
    ] {
        let web = Web::serve(|_| {
            Answer::json(r#"{"data": [1], "next_cursor": "x"}"#)
                .header("Link", "</?page=2>; rel=\"next\"")
        });
        let source = settings(&web.url, by(paging));
        let run = read_from(&source, Some(json!({"done": true})), WIDE).ok();
        assert!(run.remarks.len() == 1 && run.remarks[0].contains(remark), "{:?}", run.remarks);
    }
    // The last page, and a page that says where the next one would be.
    for (paging, body) in [
        (json!({"model": "link_header", "rel": "next"}), r#"{"data": [1], "total": 1}"#),
        (
            json!({"model": "cursor", "param": "after", "next": "/next"}),
            r#"{"data": [1], "next": null, "total": 9}"#,
        ),
    ] {
        let web =
            Web::serve(move |_| Answer::json(body).header("Link", "</?page=1>; rel=\"prev\""));
        let run = read(&settings(&web.url, by(paging))).ok();
        assert_eq!(run.remarks, Vec::<String>::new(), "{body}");
    }
}

#[test]
fn a_page_that_the_source_has_forgotten_begins_the_sweep_anew_once() {
    for status in [400, 404, 410] {
        let web = Web::serve(move |request| match request.param("after") {
            None => Answer::json(r#"{"data": [1, 2], "next": "new"}"#),
            Some("new") => Answer::json(r#"{"data": [3], "next": null}"#),
            Some(_) => Answer::status(status, "expired"),
        });
        let source = by_token(&web, json!({}));
        let mut cursor =
            read_from(&source, None, super::support::rows(2)).ok().batches[0].cursor.clone();
        assert_eq!(cursor["next"], json!({"token": "new"}));
        cursor["next"] = json!({"token": "old"});
        let run = read_from(&source, Some(cursor), WIDE).ok();
        assert_eq!(run.payloads(), ["1", "2", "3"]);
        assert_eq!(run.cursor, Some(json!({"done": true})));
        assert!(
            run.remarks[0].starts_with("the source has forgotten token `old`"),
            "{:?}",
            run.remarks
        );
    }
    let web = Web::serve(|request| match request.param("after") {
        None => Answer::json(r#"{"data": [1], "next": "a"}"#),
        Some(_) => Answer::status(410, "expired"),
    });
    let source = by_token(&web, json!({}));
    let cursor = read_from(&source, None, super::support::rows(1)).batches[0].cursor.clone();
    let text = read_from(&source, Some(cursor), WIDE).error_text();
    assert!(text.contains("answered 410"), "not a second time: {text}");
}
