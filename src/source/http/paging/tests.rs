//! The paging models without a network.
#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::{Value, json};

fn model(json: Value) -> Paging {
    serde_json::from_value(json).unwrap()
}

/// What follows a page of so many records, `seen` in all, with these values at the places.
fn after(
    model: &Paging,
    at: At,
    records: u64,
    seen: u64,
    values: &[Option<&str>],
) -> Result<After> {
    let url = Url::parse("https://api.example/v1/orders?page=1").unwrap();
    let values: Vec<Option<Found>> = values
        .iter()
        .map(|json| {
            let json = (*json)?;
            Some(match serde_json::from_str(json).unwrap() {
                Value::String(text) => Found::Text(text),
                _ => Found::Json(json.to_owned()),
            })
        })
        .collect();
    assert_eq!(values.len(), model.places().len());
    model.after(
        &at,
        &Facts {
            records,
            seen,
            url: &url,
            values: &values,
        },
    )
}

fn next(model: &Paging, at: At, records: u64, seen: u64, values: &[Option<&str>]) -> Option<At> {
    after(model, at, records, seen, values).unwrap().next
}

#[test]
fn page_numbers_end_at_an_empty_page() {
    let model =
        model(json!({"model": "page_number", "param": "page", "size": 10, "size_param": "n"}));
    assert_eq!(model.first(), At::Page(1));
    assert_eq!(next(&model, At::Page(1), 10, 10, &[]), Some(At::Page(2)));
    assert_eq!(
        next(&model, At::Page(2), 3, 13, &[]),
        Some(At::Page(3)),
        "a short page may be followed by others"
    );
    assert_eq!(next(&model, At::Page(3), 0, 13, &[]), None);
}

#[test]
fn page_numbers_end_at_a_short_page_if_told_so() {
    let model = model(
        json!({"model": "page_number", "param": "page", "start": 0, "size": 10, "size_param": "n", "ends_at": "short_page"}),
    );
    assert_eq!(next(&model, At::Page(0), 10, 10, &[]), Some(At::Page(1)));
    assert_eq!(next(&model, At::Page(1), 9, 19, &[]), None);
}

#[test]
fn page_numbers_end_with_the_number_of_pages_or_records() {
    let by_pages =
        model(json!({"model": "page_number", "param": "page", "start": 0, "pages": "/pages"}));
    assert_eq!(
        next(&by_pages, At::Page(0), 5, 5, &[Some("2")]),
        Some(At::Page(1))
    );
    assert_eq!(
        next(&by_pages, At::Page(0), 0, 0, &[Some("2")]),
        Some(At::Page(1)),
        "an empty page in the middle"
    );
    assert_eq!(next(&by_pages, At::Page(1), 5, 10, &[Some("\"2\"")]), None);
    assert_eq!(next(&by_pages, At::Page(0), 0, 0, &[Some("0")]), None);
    assert_eq!(
        next(&by_pages, At::Page(3), 5, 10, &[None]),
        Some(At::Page(4)),
        "without the number, to an empty page"
    );
    let by_total = model(json!({"model": "page_number", "param": "page", "total": "X-Total"}));
    let found = after(&by_total, At::Page(1), 5, 5, &[Some("\"7\"")]).unwrap();
    assert_eq!(
        found,
        After {
            next: Some(At::Page(2)),
            total: Some(7)
        }
    );
    assert_eq!(next(&by_total, At::Page(2), 2, 7, &[Some("7")]), None);
    assert_eq!(next(&by_total, At::Page(2), 0, 5, &[Some("7")]), None);
}

#[test]
fn offsets_move_by_what_came() {
    let model = model(
        json!({"model": "offset", "param": "offset", "size_param": "limit", "size": 100, "total": "/total"}),
    );
    assert_eq!(model.first(), At::Offset(0));
    assert_eq!(model.ahead(&At::Offset(50)), Some(At::Offset(150)));
    assert_eq!(
        next(&model, At::Offset(0), 50, 50, &[None]),
        Some(At::Offset(50)),
        "the server gives fewer than asked"
    );
    assert_eq!(
        next(&model, At::Offset(50), 50, 100, &[Some("101")]),
        Some(At::Offset(100))
    );
    assert_eq!(next(&model, At::Offset(100), 1, 101, &[Some("101")]), None);
    assert_eq!(next(&model, At::Offset(100), 0, 100, &[Some("101")]), None);
    let mut draft = Draft::default();
    model.put(&At::Offset(150), &mut draft);
    assert_eq!(
        draft.params,
        [
            ("offset".to_owned(), "150".to_owned()),
            ("limit".to_owned(), "100".to_owned())
        ]
    );
}

#[test]
fn tokens_lead_on_until_there_is_none() {
    let model = model(json!({"model": "cursor", "param": "after", "next": "/meta/next"}));
    assert_eq!(model.first(), At::First);
    assert_eq!(
        next(&model, At::First, 0, 0, &[Some("\"abc\"")]),
        Some(At::Token("abc".to_owned()))
    );
    let number = "12345678901234567890123";
    assert_eq!(
        next(&model, At::First, 5, 5, &[Some(number)]),
        Some(At::TokenJson(number.to_owned()))
    );
    for end in [None, Some("null"), Some("\"\""), Some("false")] {
        assert_eq!(
            next(&model, At::Token("abc".to_owned()), 5, 5, &[end]),
            None,
            "{end:?}"
        );
    }
}

#[test]
fn more_decides_whether_a_token_counts() {
    let model =
        model(json!({"model": "cursor", "param": "after", "next": "/next", "more": "/more"}));
    assert_eq!(
        next(&model, At::First, 5, 5, &[Some("\"abc\""), Some("true")]),
        Some(At::Token("abc".to_owned()))
    );
    for no in ["false", "\"false\"", "0", "null"] {
        assert_eq!(
            next(&model, At::First, 5, 5, &[Some("\"abc\""), Some(no)]),
            None,
            "{no}"
        );
    }
    let error = after(&model, At::First, 5, 5, &[None, Some("true")]).unwrap_err();
    assert_eq!(
        error.message(),
        "/more says that there are more pages, but /next holds no token"
    );
}

#[test]
fn links_are_relative_to_the_page() {
    let in_body = model(json!({"model": "next_link", "next": "/next"}));
    let link = |url: &str| Some(At::Link(url.to_owned()));
    assert_eq!(
        next(&in_body, At::First, 5, 5, &[Some("\"?page=2\"")]),
        link("https://api.example/v1/orders?page=2")
    );
    assert_eq!(
        next(
            &in_body,
            At::First,
            5,
            5,
            &[Some("\"https://b.example/x\"")]
        ),
        link("https://b.example/x")
    );
    assert_eq!(next(&in_body, At::First, 5, 5, &[Some("null")]), None);
    let error = after(&in_body, At::First, 5, 5, &[Some("{\"href\": 1}")]).unwrap_err();
    assert!(
        error
            .message()
            .contains("leads to {\"href\": 1}, which is no URL"),
        "{error}"
    );
    assert!(after(&in_body, At::First, 5, 5, &[Some("\"http://[\"")]).is_err());
    let in_header = model(json!({"model": "link_header", "rel": "next"}));
    assert_eq!(
        next(
            &in_header,
            At::First,
            5,
            5,
            &[Some(r#""</v1/b>; rel=\"next\"""#)]
        ),
        link("https://api.example/v1/b")
    );
    assert_eq!(
        next(
            &in_header,
            At::First,
            5,
            5,
            &[Some(r#""</v1/b>; rel=\"prev\"""#)]
        ),
        None
    );
    assert_eq!(next(&in_header, At::First, 5, 5, &[None]), None);
}

#[test]
fn a_place_of_another_model_is_not_known() {
    let number = model(json!({"model": "page_number", "param": "page"}));
    let cursor = model(json!({"model": "cursor", "param": "after", "next": "/next"}));
    let link = model(json!({"model": "link_header", "rel": "next"}));
    for (at, known) in [
        (At::First, [false, true, true, true]),
        (At::Page(2), [true, false, false, false]),
        (At::Offset(2), [false, false, false, false]),
        (At::Token("x".to_owned()), [false, true, false, false]),
        (
            At::Link("https://x/".to_owned()),
            [false, false, true, false],
        ),
    ] {
        assert_eq!(
            [&number, &cursor, &link, &Paging::None].map(|model| model.knows(&at)),
            known,
            "{at}"
        );
    }
}

#[test]
fn places_survive_the_cursor() {
    for (at, json) in [
        (At::First, json!("first")),
        (At::Page(3), json!({"page": 3})),
        (
            At::TokenJson("[1.0]".to_owned()),
            json!({"token_json": "[1.0]"}),
        ),
        (
            At::Link("https://x/".to_owned()),
            json!({"link": "https://x/"}),
        ),
    ] {
        assert_eq!(serde_json::to_value(&at).unwrap(), json);
        assert_eq!(serde_json::from_value::<At>(json).unwrap(), at);
    }
}
