//! Paging by number or offset, which the answer does not lead to.

use super::super::answer::Entry;
use super::{PAGES, TOTALS, called, number, total_header};
use crate::source::http::FirstResponse;
use serde_json::{Value, json};

const PAGE_PARAMS: [&str; 5] = ["page", "p", "page_number", "pageNumber", "pageNo"];
const OFFSET_PARAMS: [&str; 4] = ["offset", "skip", "start", "from"];
const SIZE_PARAMS: [&str; 8] =
    ["per_page", "page_size", "pageSize", "perPage", "limit", "size", "count", "top"];

pub(super) fn counted(
    answer: &FirstResponse,
    places: &[Entry],
    settings: &Value,
    records: u64,
) -> Vec<Value> {
    let (url, params) = parameters(settings);
    let given = |names: &[&str]| {
        let is_it = |(name, _): &&(String, String)| names.iter().any(|known| name == known);
        params.iter().find(is_it).map(|(name, value)| (name.clone(), value.parse::<u64>().ok()))
    };
    let size = given(&SIZE_PARAMS);
    let total = called(places, &TOTALS).filter(|place| number(place) >= Some(records));
    let total = total.map(|place| place.pointer.clone()).or(total_header(answer));
    let pages = called(places, &PAGES).map(|place| place.pointer.clone());
    let kept: Vec<String> = params
        .iter()
        .filter(|(name, _)| {
            let name = &&**name;
            !PAGE_PARAMS.contains(name)
                && !OFFSET_PARAMS.contains(name)
                && !SIZE_PARAMS.contains(name)
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let url = match kept.is_empty() {
        true => url,
        false => format!("{url}?{}", kept.join("&")),
    };
    let mut guesses = Vec::new();
    let page_params = match given(&PAGE_PARAMS) {
        Some((param, _)) => vec![param],
        None => PAGE_PARAMS[..2].iter().map(|param| (*param).to_owned()).collect(),
    };
    let by_offset = given(&OFFSET_PARAMS);
    if by_offset.is_none() {
        for param in page_params {
            for start in [1, 0] {
                // 1 is where pages begin anyway.
                let mut paging = json!({"model": "page_number", "param": param});
                if start == 0 {
                    paging["start"] = json!(0);
                }
                paging["pages"] = json!(pages);
                paging["total"] = json!(total.as_ref().filter(|_| pages.is_none()));
                if let Some((name, Some(value))) = &size {
                    (paging["size_param"], paging["size"]) = (json!(name), json!(value));
                }
                guesses.push(json!({"url": url, "paging": paging}));
            }
        }
    }
    let offset_params = match by_offset {
        Some((param, _)) => vec![param],
        None => OFFSET_PARAMS[..3].iter().map(|param| (*param).to_owned()).collect(),
    };
    let (size_param, size) = match size {
        Some((name, value)) => (name, value.unwrap_or(records)),
        None => ("limit".to_owned(), records),
    };
    for param in offset_params {
        guesses.push(json!({"url": url, "paging": {
            "model": "offset", "param": param, "size_param": size_param, "size": size, "total": total}}));
    }
    guesses
}

/// The URL without its query, and the query.
fn parameters(settings: &Value) -> (String, Vec<(String, String)>) {
    let url = settings["url"].as_str().unwrap_or_default();
    let Some((url, query)) = url.split_once('?') else {
        return (url.to_owned(), Vec::new());
    };
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    });
    (url.to_owned(), pairs.collect())
}
