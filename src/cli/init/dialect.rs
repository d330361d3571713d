//! Finds the dialect of delimited files: delimiter, lines above the header, whether there is a header. Each guess is
//! tried with the reader that will load the file.

use super::answer::{self, Records};
use super::kind::ValueKind;
use super::members::Members;
use super::name;
use super::sample::{Sample, Sampler};
use crate::db::literal;
use crate::error::{Error, Result};
use crate::source;
use serde_json::{Value, json};

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// As many records tell the delimiter.
const ENOUGH: u64 = 200;

/// The most lines that titles above the header may have.
const TITLE_LINES: u64 = 12;

/// No table is wider.
const WIDEST: usize = 1600;

/// Rows, and how they are to be read.
#[derive(Debug)]
pub(super) struct SampleLayout {
    pub(super) settings: Value,
    /// All values are text.
    pub(super) is_tabular: bool,
    /// What only people can say.
    pub(super) choices: Vec<String>,
}

impl SampleLayout {
    /// For a source that leaves nothing to find out, as it says itself what its records look like.
    pub(super) fn told(settings: Value) -> Self {
        let protocol = settings["protocol"].as_str();
        SampleLayout {
            is_tabular: matches!(protocol, Some("csv" | "tsv")),
            settings,
            choices: Vec::new(),
        }
    }
}

/// A way to read it, and what came of that.
struct Guess {
    settings: Value,
    width: usize,
}

/// Finds out how records stand in the source.
pub(super) fn find(sampler: &Sampler, settings: Value) -> Result<SampleLayout> {
    let found = find_rows(sampler, settings.clone());
    let encodings = match &found {
        _ if !settings["encoding"].is_null() => &[][..],
        Ok(found) if sampler.take(&found.settings, ENOUGH)?.is_foreign => &["windows-1252"],
        Err(error) if error.message().contains("UTF-16") => &["utf-16le", "utf-16be"],
        Err(error) if is_of_format(error) => &["windows-1252"],
        _ => &[],
    };
    let decoded = encodings.iter().find_map(|encoding| {
        let mut settings = settings.clone();
        settings["encoding"] = json!(encoding);
        let mut found = find_rows(sampler, settings).ok()?;
        sampler.take(&found.settings, ENOUGH).ok().filter(|sample| sample.records > 0)?;
        if *encoding == "windows-1252" {
            found.choices.push(
                "encoding: it is not UTF-8; see that letters such as ä and é come out right, else iso-8859-2, \
                 windows-1251, shift_jis ..."
                    .to_owned(),
            );
        }
        Some(found)
    });
    decoded.map_or(found, Ok)
}

fn find_rows(sampler: &Sampler, settings: Value) -> Result<SampleLayout> {
    let first = sampler.take(&settings, ENOUGH);
    let may_be_tabular = match &first {
        Ok(sample) => {
            let is_tabular = |origin: &String| source::is_tabular(&settings, origin);
            sample.origins.iter().any(is_tabular)
        }
        Err(error) => is_of_format(error),
    };
    let best = match &first {
        _ if !may_be_tabular => None,
        Ok(sample) if sample.is_empty() => None,
        // Any text is a table of one column unless told otherwise.
        _ => (0..=TITLE_LINES)
            .find_map(|lines| best(sampler, &settings, lines).filter(|best| best.width > 1))
            .or_else(|| best(sampler, &settings, 0).filter(|_| !is_unknown(&first))),
    };
    let Some(best) = best else {
        let first = first?;
        let document = in_document(sampler, &settings, &first);
        let is_document = document.is_some();
        return Ok(SampleLayout {
            settings: document.unwrap_or(settings),
            is_tabular: may_be_tabular,
            choices: (is_document
                .then(|| "records: without it the whole file is one record".to_owned()))
            .into_iter()
            .collect(),
        });
    };
    settle_header(sampler, best)
}

/// Where the content is one object with the records in a list.
fn in_document(sampler: &Sampler, settings: &Value, first: &Sample) -> Option<Value> {
    if first.records != 1 || !settings["records"].is_null() {
        return None;
    }
    let places = answer::places(&first.first);
    let Records::List(pointer, _) = answer::records(&first.first, &places, "") else {
        return None;
    };
    let mut settings = settings.clone();
    settings["records"] = json!(pointer);
    let sample = sampler.take(&settings, ENOUGH).ok()?;
    (sample.records > 1).then_some(settings)
}

/// The delimiter that yields the most columns and no ragged rows.
fn best(sampler: &Sampler, settings: &Value, skip_lines: u64) -> Option<Guess> {
    let guesses = DELIMITERS.iter().filter_map(|delimiter| {
        let mut settings = settings.clone();
        if is_unknown(&sampler.take(&settings, 1)) {
            settings["format"] = json!("csv");
        }
        settings["delimiter"] = json!(delimiter.to_string());
        // Lines in another encoding are no titles: their letters are to be read.
        let lines = sampler.take(&without_header(&settings, 1), skip_lines);
        if lines.is_ok_and(|lines| lines.is_foreign) {
            return None;
        }
        if skip_lines > 0 {
            settings["skip_lines"] = json!(skip_lines);
        }
        guess(sampler, settings)
    });
    // Of equals the first: they are listed by how common they are.
    guesses.fold(None, |best: Option<Guess>, guess| match best {
        Some(best) if best.width >= guess.width => Some(best),
        _ => Some(guess),
    })
}

/// Whether the format is what could not be told.
fn is_unknown(sample: &Result<Sample>) -> bool {
    sample.as_ref().is_err_and(|error| error.message().starts_with("cannot tell the format"))
}

/// Whether the content was there, and made no sense as it was read.
fn is_of_format(error: &Error) -> bool {
    let message = error.message();
    message.starts_with("cannot tell the format") || message.contains(": the header in line ")
}

/// Rows read so, with the header as it is, else without one.
fn guess(sampler: &Sampler, settings: Value) -> Option<Guess> {
    let with_header = sampler.take(&settings, ENOUGH);
    if let Ok(sample) = &with_header
        && (sample.is_mostly_good() || sample.is_empty())
    {
        return Guess::of(settings, with_header.ok()?);
    }
    let (bare, first) = (1..=WIDEST)
        .map(|width| without_header(&settings, width))
        .map_while(|bare| {
            let first = sampler.take(&bare, 1).ok()?;
            (!first.is_foreign).then_some((bare, first))
        })
        .find(|(_, first)| first.records == 1)?;
    // What Excel writes above the header.
    if first.first.contains("\"sep=") {
        return None;
    }
    let sample = sampler.take(&bare, ENOUGH).ok()?;
    Guess::of(bare, sample)
}

impl Guess {
    fn of(settings: Value, sample: Sample) -> Option<Self> {
        let width = Members::of(&sample.first)?.0.len();
        sample.is_mostly_good().then_some(Guess { settings, width })
    }
}

impl Sample {
    /// Few of its rows are ragged.
    fn is_mostly_good(&self) -> bool {
        self.records > 0 && self.bad * 10 <= self.records
    }

    fn is_empty(&self) -> bool {
        self.records + self.bad == 0
    }
}

fn without_header(settings: &Value, width: usize) -> Value {
    let columns: Vec<String> = (1..=width).map(|n| format!("column_{n}")).collect();
    let mut settings = settings.clone();
    settings["header"] = json!(false);
    settings["columns"] = json!(columns);
    settings
}

/// Whether the first line names the columns: it does, unless its fields look like those below.
fn settle_header(sampler: &Sampler, best: Guess) -> Result<SampleLayout> {
    let bare = without_header(&best.settings, best.width);
    let rows = sampler.take(&bare, ENOUGH)?;
    let first = Members::of(&rows.first).map_or(Vec::new(), |members| members.0);
    let fields = rows.rest.leaves(false);
    let (mut names, mut data) = (0, 0);
    let has_header = best.settings["header"] != false;
    for ((_, value), (_, field)) in first.iter().zip(&fields) {
        let mut kinds = field.kinds();
        kinds.remove(&ValueKind::Empty);
        let cell: String = serde_json::from_str(value.get()).unwrap_or_default();
        match ValueKind::of_text(&cell) {
            _ if kinds.is_empty() || kinds.contains_key(&ValueKind::Text) => {}
            ValueKind::Text => names += 1,
            kind if has_header && kinds.contains_key(&kind) => data += 1,
            _ => {}
        }
    }
    let mut choices = Vec::new();
    let mut settings = best.settings;
    if has_header && data > 0 && names == 0 {
        settings = bare;
    } else if !has_header && names > 0 {
        // A header, but one that cannot name the columns: empty or repeated names.
        let cells = first.iter().enumerate().map(|(index, (_, value))| {
            let cell: String = serde_json::from_str(value.get()).unwrap_or_default();
            name::plain(&cell, &format!("column_{}", index + 1))
        });
        settings["columns"] = json!(name::distinct(cells));
        if let Some(map) = settings.as_object_mut() {
            map.remove("header");
        }
    }
    if settings["header"] == false {
        choices.push("columns: there is no header, name them".to_owned());
    } else if names == 0 && settings["columns"].is_null() {
        let shown: Vec<String> =
            (first.iter().take(3)).map(|(_, value)| value.get().to_owned()).collect();
        choices.push(format!(
            "header => false and columns => {}, if the first line, {} ..., is a record",
            literal("{...}"),
            shown.join(", ")
        ));
    }
    leave_out_defaults(sampler, &mut settings, best.width);
    Ok(SampleLayout { settings, is_tabular: true, choices })
}

/// The delimiter that the format has anyway needs no word.
fn leave_out_defaults(sampler: &Sampler, settings: &mut Value, width: usize) {
    let mut without = settings.clone();
    if let Some(map) = without.as_object_mut() {
        map.remove("delimiter");
    }
    let is_the_same = sampler.take(&without, ENOUGH).is_ok_and(|sample| {
        sample.is_mostly_good()
            && Members::of(&sample.first).is_some_and(|members| members.0.len() == width)
    });
    if is_the_same {
        *settings = without;
    }
}
