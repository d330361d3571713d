//! The paging models without a network.

use super::PagePosition::{self as At, First, Link, Offset, Page, Token, TokenJson};
use super::*;
use serde_json::{Value, json};

fn model(json: Value) -> Paging {
    serde_json::from_value(json).unwrap()
}

fn found(json: &Value) -> Extracted {
    match json {
        Value::String(text) => Extracted::Text(text.clone()),
        _ => Extracted::Json(json.to_string()),
    }
}

/// What follows a page of so many records, `seen` in all, that says this of the pages.
fn after(model: &Paging, at: At, records: u64, seen: u64, says: &Value) -> Result<NextPage> {
    let value = |name: &str| says.get(name).map(found);
    model.after(&PageFacts {
        at: &at,
        records,
        seen,
        largest: records.max(5),
        url: &Url::parse("https://api.example/v1/orders?page=1").unwrap(),
        signals: &Signals {
            next: value("next"),
            pages: value("pages"),
            total: value("total"),
            more: value("more"),
            done: value("done"),
        },
        last_record: says["last"].as_str().map(str::as_bytes),
    })
}

fn next(model: &Paging, at: At, records: u64, seen: u64, says: Value) -> Option<At> {
    after(model, at, records, seen, &says).unwrap().next
}

fn token(text: &str) -> At {
    Token(text.to_owned())
}

#[test]
fn page_numbers_end_at_an_empty_page() {
    let model =
        model(json!({"model": "page_number", "param": "page", "size": 10, "size_param": "n"}));
    assert_eq!(model.first(), Page(1));
    let next = |page, records, seen| next(&model, Page(page), records, seen, json!({}));
    assert_eq!(next(1, 10, 10), Some(Page(2)));
    // Others may follow a short page.
    assert_eq!(next(2, 3, 13), Some(Page(3)));
    assert_eq!(next(3, 0, 13), None);
}

#[test]
fn page_numbers_end_at_a_short_page_if_told_so() {
    let model = model(
        json!({"model": "page_number", "param": "page", "start": 0, "size": 10, "size_param": "n", "ends_at": "short_page"}),
    );
    assert_eq!(next(&model, Page(0), 10, 10, json!({})), Some(Page(1)));
    assert_eq!(next(&model, Page(1), 9, 19, json!({})), None);
}

#[test]
fn page_numbers_end_with_the_number_of_pages_or_records() {
    let by_pages =
        model(json!({"model": "page_number", "param": "page", "start": 0, "pages": "/pages"}));
    let next_page = |page, records, says: Value| next(&by_pages, Page(page), records, 10, says);
    let two = || json!({"pages": 2});
    assert_eq!(next_page(0, 5, two()), Some(Page(1)));
    assert_eq!(next_page(0, 0, two()), Some(Page(1)), "an empty page in the middle");
    assert_eq!(next_page(1, 4, json!({"pages": "2"})), None);
    assert_eq!(next_page(0, 0, json!({"pages": 0})), None);
    assert_eq!(next_page(3, 5, json!({})), Some(Page(4)), "without the number, to an empty page");
    let by_total = model(json!({"model": "page_number", "param": "page", "total": "X-Total"}));
    let next_page = |page, records, seen, total: &str| {
        let found = after(&by_total, Page(page), records, seen, &json!({"total": total}));
        let found = found.unwrap();
        assert_eq!(found.total, total.parse().ok());
        found.next
    };
    assert_eq!(next_page(1, 5, 5, "7"), Some(Page(2)));
    assert_eq!(next_page(2, 2, 7, "7"), None);
    assert_eq!(next_page(2, 0, 5, "7"), None, "the pages so far had room for them");
    assert_eq!(next_page(2, 0, 5, "17"), Some(Page(3)), "an empty page in the middle");
}

#[test]
fn a_count_that_a_full_page_reaches_is_not_believed_blindly() {
    for model in [
        model(json!({"model": "page_number", "param": "page", "total": "/total"})),
        model(json!({"model": "page_number", "param": "page", "pages": "/pages"})),
    ] {
        let ask = |page, records, seen, count: u64| {
            let says = json!({"total": count * 5, "pages": count});
            let says = match model.total {
                Some(_) => json!({"total": says["total"]}),
                None => json!({"pages": says["pages"]}),
            };
            let after = after(&model, Page(page), records, seen, &says).unwrap();
            (after.next.is_some(), after.is_doubtful)
        };
        assert_eq!(ask(2, 5, 10, 2), (true, true), "reached by a full page");
        assert_eq!(ask(3, 5, 15, 2), (true, true), "proven wrong");
        assert_eq!(ask(4, 0, 15, 2), (false, true), "to an empty page");
        assert_eq!(ask(2, 5, 10, 3), (true, false));
    }
}

#[test]
fn offsets_move_by_what_came() {
    let model = model(
        json!({"model": "offset", "param": "offset", "size_param": "limit", "size": 100, "total": "/total"}),
    );
    assert_eq!(model.ahead(&Offset(50)), Some(Offset(150)));
    let next =
        |offset, records, says| next(&model, Offset(offset), records, offset + records, says);
    assert_eq!(next(0, 50, json!({})), Some(Offset(50)), "fewer than asked for");
    assert_eq!(next(50, 50, json!({"total": 101})), Some(Offset(100)));
    assert_eq!(next(100, 1, json!({"total": 101})), None);
    assert_eq!(next(100, 0, json!({"total": 101})), None);
    assert_eq!(
        next(100, 0, json!({"total": 301})),
        Some(Offset(200)),
        "an empty page in the middle"
    );
    let mut params = Vec::new();
    model.put(&Offset(150), &mut |_, name, value| {
        params.push(format!("{name}={}", value.text()));
    });
    assert_eq!(params, ["offset=150", "limit=100"]);
}

#[test]
fn tokens_lead_on_until_there_is_none() {
    let model = model(json!({"model": "cursor", "param": "after", "next": "/meta/next"}));
    assert_eq!(next(&model, First, 0, 0, json!({"next": "abc"})), Some(token("abc")));
    assert_eq!(next(&model, First, 5, 5, json!({"next": 7})), Some(TokenJson("7".to_owned())));
    for end in [json!({}), json!({"next": null}), json!({"next": ""}), json!({"next": false})] {
        assert_eq!(next(&model, token("abc"), 5, 5, end.clone()), None, "{end}");
    }
    let again = || json!({"next": "abc"});
    assert_eq!(next(&model, token("abc"), 0, 5, again()), None, "nothing, and nowhere else");
    assert_eq!(next(&model, token("abc"), 1, 6, again()), Some(token("abc")), "for the guard");
}

#[test]
fn the_last_record_may_hold_the_token() {
    let model = model(json!({"model": "cursor", "param": "after", "last": "/id"}));
    let next = |records, last: Value| next(&model, token("a"), records, 9, json!({"last": last}));
    assert_eq!(next(5, json!(r#"{"id": "b"}"#)), Some(token("b")));
    assert_eq!(next(5, json!(r#"{"id": 7}"#)), Some(TokenJson("7".to_owned())));
    assert_eq!(next(1, json!(r#"{"id": "a"}"#)), None, "where the bound belongs to the page");
    assert_eq!(next(0, Value::Null), None);
    assert_eq!(next(5, json!("{}")), None);
}

#[test]
fn more_and_done_decide_for_every_model() {
    for flag in ["more", "done"] {
        let mut cursor = json!({"model": "cursor", "param": "after", "next": "/next"});
        cursor[flag] = json!("/flag");
        let cursor = model(cursor);
        let mut number = json!({"model": "page_number", "param": "page"});
        number[flag] = json!("/flag");
        let number = model(number);
        let flag_for = |is_more: bool| json!({"next": "abc", flag: is_more == (flag == "more")});
        assert_eq!(next(&cursor, First, 5, 5, flag_for(true)), Some(token("abc")));
        assert_eq!(next(&cursor, First, 5, 5, flag_for(false)), None);
        assert_eq!(next(&number, Page(1), 0, 0, flag_for(true)), Some(Page(2)));
        assert_eq!(next(&number, Page(1), 5, 5, flag_for(false)), None);
        let says = json!({flag: flag == "more"});
        let error = after(&cursor, First, 5, 5, &says).unwrap_err();
        assert!(error.message().ends_with("more pages, but /next leads to none"));
    }
    let model =
        model(json!({"model": "cursor", "param": "after", "next": "/next", "more": "/more"}));
    for no in [json!(false), json!("false"), json!(0), json!("0"), json!(null)] {
        let says = json!({"next": "abc", "more": no});
        assert_eq!(next(&model, First, 5, 5, says), None, "{no}");
    }
}

#[test]
fn links_are_relative_to_the_page() {
    let in_body = model(json!({"model": "next_link", "next": "/next"}));
    let link = |url: &str| Some(Link(url.to_owned()));
    let follow = |model: &Paging, to: Value| after(model, First, 5, 5, &json!({"next": to}));
    for (to, url) in [
        ("?page=2", link("https://api.example/v1/orders?page=2")),
        ("https://b.example/x", link("https://b.example/x")),
        ("", None),
    ] {
        assert_eq!(follow(&in_body, json!(to)).unwrap().next, url);
    }
    let error = follow(&in_body, json!({"href": 1})).unwrap_err();
    assert!(error.message().contains("which is not a URL"), "{error}");
    assert!(follow(&in_body, json!("http://[")).is_err());
    let in_header = model(json!({"model": "link_header", "rel": "next"}));
    for (header, url) in [
        ("</v1/b>; rel=\"next\"", link("https://api.example/v1/b")),
        ("</v1/b>; rel=\"prev\"", None),
    ] {
        assert_eq!(follow(&in_header, json!(header)).unwrap().next, url);
    }
    assert_eq!(next(&in_header, First, 5, 5, json!({})), None);
}

#[test]
fn a_place_of_another_model_is_not_known() {
    let number = model(json!({"model": "page_number", "param": "page"}));
    let cursor = model(json!({"model": "cursor", "param": "after", "next": "/next"}));
    let link = model(json!({"model": "link_header", "rel": "next"}));
    let link_to_x = Link("https://x/".to_owned());
    for (at, known) in [
        (First, [false, true, true, true]),
        (Page(2), [true, false, false, false]),
        (Offset(2), [false, false, false, false]),
        (token("x"), [false, true, false, false]),
        (link_to_x, [false, false, true, false]),
    ] {
        let models = [&number, &cursor, &link, &Paging::default()];
        assert_eq!(models.map(|model| model.knows(&at)), known, "{at}");
    }
}
