//! Finds the paging of an API. A guess from the first answer is taken if the loader gets to another page with it.

mod counted;

use super::answer::{AnswerValue, Entry};
use crate::source::http::FirstResponse;
use counted::counted;
use serde_json::{Value, json};

/// What names of tokens and links end in, in lower case and without `_`.
const LEADS: [&str; 16] = [
    "next",
    "nextpage",
    "nexturl",
    "nexturi",
    "nextlink",
    "@odata.nextlink",
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "nextoffset",
    "continuation",
    "continuationtoken",
    "endcursor",
    "scrollid",
    "cursor",
    "bookmark",
];
const MORE: [&str; 6] = ["hasmore", "hasnext", "hasnextpage", "hasmoreitems", "more", "ismore"];
const TOTALS: [&str; 9] = [
    "total",
    "totalcount",
    "totalrecords",
    "totalresults",
    "totalelements",
    "totalitems",
    "count",
    "recordcount",
    "numfound",
];
const PAGES: [&str; 6] = ["pages", "totalpages", "pagecount", "lastpage", "pagestotal", "numpages"];

/// Parameters that take a token, most common first.
const TOKEN_PARAMS: [&str; 9] = [
    "cursor",
    "after",
    "page_token",
    "pageToken",
    "next",
    "token",
    "starting_after",
    "continuation",
    "offset",
];

/// How many guesses are tried; each costs two requests.
pub(super) const MOST_TRIES: usize = 12;

/// The guesses, best first: settings to lay over those of the source.
pub(super) fn guesses(
    answer: &FirstResponse,
    places: &[Entry],
    settings: &Value,
    records: u64,
) -> Vec<Value> {
    if answer.has_next_link() {
        return vec![json!({"paging": {"model": "link_header", "rel": "next"}})];
    }
    let mut guesses = Vec::new();
    for place in places.iter().filter(|place| is_called(place, &LEADS) || is_hal(place)) {
        match &place.value {
            AnswerValue::Text(text) if is_link(text) => {
                guesses.push(json!({"paging": {"model": "next_link", "next": place.pointer}}));
            }
            AnswerValue::Text(token) if !token.is_empty() => {
                guesses.extend(by_token(place, places))
            }
            AnswerValue::Number(_) => guesses.extend(by_token(place, places)),
            _ => {}
        }
    }
    for header in answer.header_names().filter(|name| name.contains("next")) {
        if answer.header(header).is_some_and(|value| !value.is_empty()) {
            let mut params = vec!["page", "page_token"];
            params.extend(TOKEN_PARAMS);
            guesses.extend(params.into_iter().map(
                |param| json!({"paging": {"model": "cursor", "param": param, "next": canonical(header)}}),
            ));
        }
    }
    if says_more(places) && guesses.is_empty() {
        let more = called(places, &MORE).map(|place| &*place.pointer);
        for param in ["starting_after", "after"] {
            guesses.push(
                json!({"paging": {"model": "cursor", "param": param, "last": "/id", "more": more}}),
            );
        }
    }
    if guesses.is_empty() && may_have_more(answer, places, records) {
        guesses = counted(answer, places, settings, records);
    }
    guesses.truncate(MOST_TRIES);
    guesses
}

/// Whether the answer shows that there is more than one page.
pub(super) fn shows_more(answer: &FirstResponse, places: &[Entry], records: u64) -> Option<String> {
    let total = called(places, &TOTALS).filter(|place| number(place) > Some(records));
    let lead = places.iter().find(|place| {
        is_called(place, &LEADS)
            && !matches!(place.value, AnswerValue::Nothing | AnswerValue::Flag(_))
    });
    let more = called(places, &MORE).filter(|place| place.value == AnswerValue::Flag(true));
    if answer.has_next_link() {
        return Some("the header Link".to_owned());
    }
    lead.or(more).or(total).map(|place| format!("`{}`", place.pointer))
}

fn by_token(place: &Entry, places: &[Entry]) -> Vec<Value> {
    let name = plain(&place.name);
    let own = place.name.trim_start_matches("next_").trim_start_matches("next");
    let own = match own.chars().next() {
        Some(first) => first.to_lowercase().chain(own.chars().skip(1)).collect(),
        None => String::new(),
    };
    let mut params: Vec<&str> = match &*name {
        "endcursor" => vec!["after"],
        "nextpage" => vec!["page"],
        _ => Vec::new(),
    };
    params.extend([&*own, &*place.name].iter().filter(|param| !param.is_empty()));
    params.extend(TOKEN_PARAMS);
    let mut tried = Vec::new();
    let more = called(places, &MORE).map(|place| &*place.pointer);
    for param in params {
        let guess = json!({"paging": {"model": "cursor", "param": param, "next": place.pointer, "more": more}});
        if !tried.contains(&guess) {
            tried.push(guess);
        }
    }
    tried
}

/// Whether there may be other pages, though nothing leads to them.
fn may_have_more(answer: &FirstResponse, places: &[Entry], records: u64) -> bool {
    let has_total = called(places, &TOTALS).is_some_and(|place| number(place) > Some(records));
    let has_pages = called(places, &PAGES).is_some_and(|place| number(place) > Some(1));
    let header = total_header(answer).is_some();
    // Page sizes are mostly multiples of ten.
    let is_round = records >= 10 && records.is_multiple_of(5);
    has_total || has_pages || header || says_more(places) || is_round
}

fn total_header(answer: &FirstResponse) -> Option<String> {
    let name =
        answer.header_names().find(|name| name.contains("total") && !name.contains("page"))?;
    answer.header(name)?.parse::<u64>().ok()?;
    Some(canonical(name))
}

/// `x-next-page` as people write it.
fn canonical(header: &str) -> String {
    let part = |part: &str| match part.chars().next() {
        Some(first) => first.to_uppercase().collect::<String>() + &part[first.len_utf8()..],
        None => String::new(),
    };
    header.split('-').map(part).collect::<Vec<_>>().join("-")
}

fn says_more(places: &[Entry]) -> bool {
    called(places, &MORE).is_some_and(|place| place.value == AnswerValue::Flag(true))
}

fn number(place: &Entry) -> Option<u64> {
    match place.value {
        AnswerValue::Number(number) => Some(number),
        _ => None,
    }
}

fn called<'a>(places: &'a [Entry], names: &[&str]) -> Option<&'a Entry> {
    places.iter().find(|place| is_called(place, names))
}

fn is_called(place: &Entry, names: &[&str]) -> bool {
    names.contains(&&*plain(&place.name))
}

/// `_links.next.href`
fn is_hal(place: &Entry) -> bool {
    place.pointer.ends_with("/next/href")
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '-'], "")
}

fn is_link(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://") || text.starts_with(['/', '?'])
}
