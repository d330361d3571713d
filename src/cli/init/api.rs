//! Finds out how to read an HTTP API: by its first answer, and by trying.

use super::answer::{self, Records};
use super::dialect::SampleLayout;
use super::members::Members;
use super::paging;
use super::place;
use super::sample::Sampler;
use crate::error::{Error, Kind, Result};
use crate::source::http::FirstResponse;
use serde_json::{Value, json};

/// Finds out what the settings leave open.
pub(super) fn find(sampler: &Sampler, mut settings: Value) -> Result<SampleLayout> {
    let answer =
        FirstResponse::of(&settings, sampler.source_context()).map_err(|error| {
            match error.kind() {
                Kind::Exhausted => error.next("check the address, and whether its server is up"),
                _ => error,
            }
        })?;
    let body = String::from_utf8_lossy(&answer.body);
    let body = body.trim_start_matches('\u{feff}').trim();
    let mut choices = Vec::new();
    let is_tabular = settle_format(&answer, body, &mut settings);
    let places = answer::places(body);
    let is_json = settings["format"].is_null();
    if is_json && settings["records"].is_null() && settings["shape"].is_null() {
        refuse_no_json(body, &settings)?;
        match answer::records(body, &places, &place::name(&settings)) {
            Records::Whole => {}
            Records::List(pointer, others) => {
                settings["records"] = json!(pointer);
                choices.extend(others.iter().map(|other| format!("records => '{other}'")));
            }
            Records::Members(pointer) => {
                settings["records"] = json!(pointer);
                settings["shape"] = json!("members");
            }
            Records::One => settings["shape"] = json!("object"),
        }
    }
    if settings["paging"].is_null() && settings["shape"].is_null() {
        settle_paging(sampler, &answer, &places, &mut settings, &mut choices)?;
    }
    Ok(SampleLayout { settings, is_tabular, choices })
}

/// Sets the format where the answer is not JSON; true for rows of fields.
fn settle_format(answer: &FirstResponse, body: &str, settings: &mut Value) -> bool {
    if settings["format"].is_null() {
        let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let is_lines = || {
            let mut lines = body.lines().filter(|line| !line.trim().is_empty());
            lines.by_ref().take(2).filter(|line| Members::of(line).is_some()).count() == 2
        };
        if kind.contains("csv") {
            settings["format"] = json!("csv");
        } else if kind.contains("tab-separated") {
            settings["format"] = json!("tsv");
        } else if kind.contains("ndjson")
            || kind.contains("jsonl")
            || kind.contains("json-seq")
            || is_lines()
        {
            settings["format"] = json!("ndjson");
        }
    }
    matches!(settings["format"].as_str(), Some("csv" | "tsv"))
}

fn refuse_no_json(body: &str, settings: &Value) -> Result<()> {
    if body.starts_with(['{', '[']) {
        return Ok(());
    }
    let start: String = body.chars().take(200).collect();
    Err(Error::usage(format!(
        "the answer of {} is neither JSON nor NDJSON, and does not call itself CSV",
        settings["url"].as_str().unwrap_or_default()
    ))
    .detail(format!("it begins: {start}"))
    .next("check the URL; if it needs a credential: --source \"sluice.http_source(url => ..., auth => sluice.bearer_auth(env => ...))\""))
}

/// Takes the first way to the next page that the loader can walk.
fn settle_paging(
    sampler: &Sampler,
    answer: &FirstResponse,
    places: &[answer::Entry],
    settings: &mut Value,
    choices: &mut Vec<String>,
) -> Result<()> {
    let one = sampler.take(settings, u64::MAX)?;
    let records = one.records + one.bad;
    for guess in paging::guesses(answer, places, settings, records) {
        let mut tried = settings.clone();
        for (name, value) in guess.as_object().into_iter().flatten() {
            tried[name] = value.clone();
        }
        let walked = sampler.take(&tried, records + 1);
        // An API that ignores the parameter sends the first page again, which the walk refuses.
        let walks_on = walked.is_ok_and(|two| two.origins.len() > 1 && two.first == one.first);
        if walks_on {
            *settings = tried;
            return Ok(());
        }
    }
    if let Some(place) = paging::shows_more(answer, places, records) {
        choices.push(format!(
            "paging, as {place} shows that there are more pages: page_number_paging, offset_paging, cursor_paging, \
             next_link_paging or link_header_paging; without it only the first is read"
        ));
    }
    Ok(())
}
