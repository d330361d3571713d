//! Makes a column from the values of a field: its type, what counts as null, and what only a person can decide.

use super::evidence::Field;
use super::kind::ValueKind;
use crate::db::literal;
use crate::source::DeclaredField;
use std::collections::BTreeMap;

/// A column to be.
#[derive(Debug)]
pub(super) struct SampleColumn {
    /// As SQL writes it.
    pub(super) name: String,
    /// Without quotes.
    pub(super) plain: String,
    /// The path to it in a record; empty for the record itself.
    pub(super) path: Vec<String>,
    pub(super) sql: &'static str,
    /// Texts that stand for no value here.
    nulls: Vec<String>,
    /// What the user may choose instead.
    pub(super) choice: Option<String>,
    /// Its type is known, so no value has to prove it.
    is_declared: bool,
    pub(super) is_unique: bool,
    pub(super) is_full: bool,
}

/// What people write where there is nothing.
const NULLS: [&str; 9] = ["NA", "N/A", "n/a", "NULL", "null", "\\N", "None", "-", "?"];

/// Words in the names of fields whose digits are not numbers: a value without a leading zero today may have
/// one tomorrow.
const CODES: [&str; 21] = [
    "barcode",
    "bic",
    "code",
    "ean",
    "fax",
    "gtin",
    "iban",
    "imei",
    "isbn",
    "mobile",
    "phone",
    "plz",
    "postal",
    "postcode",
    "serial",
    "sku",
    "ssn",
    "tel",
    "telephone",
    "version",
    "zip",
];

impl SampleColumn {
    /// Makes the columns from a sample of `records` records, whose values are all text if they are tabular.
    /// What is `declared` counts where the sample shows nothing.
    pub(super) fn new(
        plain: String,
        path: Vec<String>,
        field: &Field,
        records: u64,
        is_tabular: bool,
        declared: Option<&DeclaredField>,
    ) -> Self {
        let mut kinds = field.kinds();
        let empty = kinds.remove(&ValueKind::Empty).is_some();
        let words = &field.evidence.words;
        let mut nulls: Vec<String> = Vec::new();
        let has_null_words = kinds.len() > 1
            && words.len() <= 2
            && words.iter().all(|word| NULLS.contains(&word.as_str()));
        let has_null_words = has_null_words && kinds.remove(&ValueKind::Text).is_some();
        if has_null_words {
            nulls.extend(words.iter().cloned());
        }
        let source = path.last().map_or("", String::as_str);
        let is_quoted = field.evidence.is_quoted && !is_tabular;
        let (sql, choice) = match declared {
            Some(declared) if kinds.is_empty() => (declared.sql, None),
            Some(declared)
                if declared.sql == "numeric" && kinds.keys().eq([&ValueKind::Integer]) =>
            {
                ("numeric", None)
            }
            _ => decide(&kinds, source, is_quoted, is_tabular),
        };
        match sql {
            // As text they are what they are.
            "text" | "jsonb" => nulls.clear(),
            _ if empty || is_tabular => nulls.insert(0, String::new()),
            _ => {}
        }
        nulls.sort();
        SampleColumn {
            name: super::name::quoted(&plain),
            plain,
            path,
            sql,
            is_declared: false,
            is_unique: !has_null_words && field.evidence.is_unique(records),
            is_full: !has_null_words && field.evidence.is_full(records),
            nulls,
            choice,
        }
    }

    /// Of a type that the source itself names; `is_key`: it is never null.
    pub(super) fn declared(
        plain: String,
        declared: &DeclaredField,
        field: Option<&Field>,
        records: u64,
        is_key: bool,
    ) -> Self {
        SampleColumn {
            name: super::name::quoted(&plain),
            plain,
            path: vec![declared.name.clone()],
            sql: declared.sql,
            nulls: Vec::new(),
            choice: declared.choice.as_ref().map(ToString::to_string),
            is_declared: true,
            is_unique: field.is_some_and(|field| field.evidence.is_unique(records)),
            is_full: is_key || field.is_some_and(|field| field.evidence.is_full(records)),
        }
    }

    /// The expression that takes it out of `doc`, or out of the row `r`.
    pub(super) fn expression(&self, takes: Takes) -> String {
        let json = match (&self.path[..], takes) {
            ([], _) => return "doc".to_owned(),
            ([name], Takes::Row) => format!("r.{}", super::name::quoted(name)),
            ([name], Takes::Document) => format!("doc{}{}", self.arrow("->"), literal(name)),
            (path, _) => format!("doc{}{}", self.arrow("#>"), literal(&array(path))),
        };
        let text =
            self.nulls.iter().fold(json, |text, null| format!("nullif({text}, {})", literal(null)));
        match (self.sql, form(self.sql).filter(|_| !self.is_declared)) {
            // In a row the text "12" and the number 12 are the same.
            ("jsonb", _) if takes == Takes::Row => format!(
                "regexp_replace({text}, '^(?!\\s*[\\[{{])', 'neither object nor array: ')::jsonb"
            ),
            // A JSON null is a value to SQL; here it stands for none.
            ("jsonb", _) if !self.path.is_empty() => format!("nullif({text}, 'null')"),
            ("text" | "jsonb", _) => text,
            // Postgres reads 02.01.2026 and today as dates, too.
            (sql, Some(form)) => {
                format!("regexp_replace({text}, '^(?!{form})', 'not ISO 8601: ')::{sql}")
            }
            (sql, None) if self.nulls.is_empty() => format!("({text})::{sql}"),
            (sql, None) => format!("{text}::{sql}"),
        }
    }

    fn arrow(&self, json: &str) -> String {
        match self.sql {
            "jsonb" => json.to_owned(),
            _ => format!("{json}>"),
        }
    }
}

/// What a transform takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Document,
    /// A composite type of texts.
    Row,
}

/// What values of a type that Postgres reads in many forms looked like, all of them.
fn form(sql: &str) -> Option<&'static str> {
    match sql {
        "date" => Some(r"\d{4}-\d\d-\d\d$"),
        "timestamp" => Some(r"\d{4}-\d\d-\d\d[T ]"),
        "timestamptz" => Some(r"\d{4}-\d\d-\d\d[T ].*(Z|[+-]\d\d(:?\d\d)?)$"),
        _ => None,
    }
}

type Kinds = BTreeMap<ValueKind, (u64, String)>;

fn decide(
    kinds: &Kinds,
    source: &str,
    is_quoted: bool,
    is_tabular: bool,
) -> (&'static str, Option<String>) {
    let found: Vec<ValueKind> = kinds.keys().copied().collect();
    let is_code = (is_quoted || is_tabular) && is_code(source);
    match found[..] {
        [] => ("text", Some("no value in the sample".to_owned())),
        _ if found.contains(&ValueKind::Json) => ("jsonb", None),
        [ValueKind::Integer] if is_quoted || is_code => {
            ("text", Some("bigint, if these are numbers and no codes".to_owned()))
        }
        [ValueKind::Decimal] | [ValueKind::Integer, ValueKind::Decimal] if is_code => {
            ("text", Some("numeric, if these are numbers and no codes".to_owned()))
        }
        [ValueKind::Boolean] if is_quoted => ("text", Some("boolean".to_owned())),
        [ValueKind::Comma]
        | [ValueKind::Integer, ValueKind::Comma]
        | [ValueKind::Integer, ValueKind::Decimal, ValueKind::Comma] => {
            let example = &kinds[&ValueKind::Comma].1;
            let choice = format!(
                "numeric, once you know what {example:?} means: replace(…, ',', '.') or replace(…, ',', '')"
            );
            ("text", Some(choice))
        }
        [kind] => (kind.sql(), None),
        _ if found.iter().all(|kind| {
            matches!(kind, ValueKind::Integer | ValueKind::Decimal | ValueKind::Exponent)
        }) =>
        {
            ("numeric", None)
        }
        _ if found.iter().all(|kind| {
            matches!(kind, ValueKind::Date | ValueKind::Timestamp | ValueKind::Instant)
        }) =>
        {
            let examples: Vec<_> = kinds.values().map(|(_, text)| format!("{text:?}")).collect();
            let choice =
                format!("timestamptz, if what has no zone is UTC: {}", examples.join(", "));
            ("text", Some(choice))
        }
        _ => ("text", mostly(kinds)),
    }
}

/// The type that nearly all values fit, and what it would cost.
fn mostly(kinds: &Kinds) -> Option<String> {
    const NEARLY: u64 = 20;
    let all: u64 = kinds.values().map(|(count, _)| count).sum();
    let (kind, (count, _)) = kinds.iter().max_by_key(|(_, (count, _))| *count)?;
    let others = all - count;
    let (_, (_, example)) = kinds.iter().find(|(other, _)| *other != kind)?;
    (*kind != ValueKind::Text && others * NEARLY <= all).then(|| {
        format!(
            "{}, if the {others} of {all} records that are none, such as {example:?}, are to be quarantined",
            kind.sql()
        )
    })
}

/// Whether a word of the name says so: `zip_code`, `phoneNumber`, `PLZ`.
fn is_code(name: &str) -> bool {
    super::name::words(name).iter().any(|word| CODES.contains(&word.as_str()))
}

/// An array of text as Postgres writes it.
pub(super) fn array(texts: &[String]) -> String {
    let element = |text: &String| {
        let is_plain = !text.is_empty()
            && !text.eq_ignore_ascii_case("null")
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        match is_plain {
            true => text.clone(),
            false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    };
    let elements: Vec<String> = texts.iter().map(element).collect();
    format!("{{{}}}", elements.join(","))
}
