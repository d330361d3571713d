//! Finds the records in the first answer of an API, and what it says about further pages.

use super::members::Members;
use serde_json::Value;
use serde_json::value::RawValue;

/// How deep objects within objects are searched.
const DEEPEST: usize = 3;

/// What lists of records are called, best first.
const LISTS: [&str; 12] = [
    "data", "items", "results", "records", "value", "values", "rows", "entries", "content", "hits",
    "objects", "list",
];

/// A value somewhere in the answer.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) pointer: String,
    /// The last part of the pointer.
    pub(super) name: String,
    pub(super) value: AnswerValue,
}

/// What stands there.
#[derive(Debug, PartialEq)]
pub(super) enum AnswerValue {
    /// A list with so many objects.
    List(usize),
    /// An object whose members are this many objects, and nothing else.
    Objects(usize),
    Text(String),
    Number(u64),
    Flag(bool),
    Nothing,
}

/// All places that may say something, in their order.
pub(super) fn places(body: &str) -> Vec<Entry> {
    let mut places = Vec::new();
    if let Some(members) = Members::of(body) {
        collect(&members, "", 1, &mut places);
    }
    places
}

fn collect(members: &Members<'_>, above: &str, depth: usize, places: &mut Vec<Entry>) {
    for (name, value) in &members.0 {
        let pointer = format!("{above}/{}", name.replace('~', "~0").replace('/', "~1"));
        let inner = Members::of(value.get());
        let found = match &inner {
            Some(inner) => AnswerValue::Objects(objects(inner)),
            None => found(value),
        };
        places.push(Entry { pointer: pointer.clone(), name: name.clone(), value: found });
        if let Some(inner) = inner
            && depth < DEEPEST
        {
            collect(&inner, &pointer, depth + 1, places);
        }
    }
}

/// How many objects it holds, if it holds nothing else.
fn objects(members: &Members<'_>) -> usize {
    let are_objects = members.0.iter().all(|(_, value)| value.get().starts_with('{'));
    if are_objects { members.0.len() } else { 0 }
}

fn found(value: &RawValue) -> AnswerValue {
    let json = value.get();
    if json.starts_with('[') {
        let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        return AnswerValue::List(elements.iter().filter(|it| it.get().starts_with('{')).count());
    }
    match serde_json::from_str(json) {
        Ok(Value::String(text)) => AnswerValue::Text(text),
        Ok(Value::Bool(flag)) => AnswerValue::Flag(flag),
        Ok(Value::Number(number)) => {
            number.as_u64().map_or(AnswerValue::Nothing, AnswerValue::Number)
        }
        _ => AnswerValue::Nothing,
    }
}

/// Where the records are.
#[derive(Debug, PartialEq)]
pub(super) enum Records {
    /// The answer is the list.
    Whole,
    /// In the list at this pointer; others that might be meant.
    List(String, Vec<String>),
    /// The members of the object there.
    Members(String),
    /// The answer is one record.
    One,
}

/// Finds the records: the list that is called like one, or the longest.
pub(super) fn records(body: &str, places: &[Entry], called: &str) -> Records {
    if body.starts_with('[') {
        return Records::Whole;
    }
    let lists: Vec<(&Entry, usize)> = places
        .iter()
        .filter_map(|place| match place.value {
            AnswerValue::List(count) if count > 0 => Some((place, count)),
            _ => None,
        })
        .collect();
    let by_name = [called]
        .into_iter()
        .chain(LISTS)
        .find_map(|name| lists.iter().find(|(place, _)| place.name.eq_ignore_ascii_case(name)));
    let longest = lists.iter().rev().max_by_key(|(_, count)| *count);
    if let Some((best, _)) = by_name.or(longest) {
        let others = lists.iter().map(|(place, _)| place.pointer.clone());
        let others = others.filter(|pointer| *pointer != best.pointer).collect();
        return Records::List(best.pointer.clone(), others);
    }
    // An empty list is one, too.
    let empty = places.iter().find(|place| {
        place.value == AnswerValue::List(0)
            && LISTS.iter().any(|name| place.name.eq_ignore_ascii_case(name))
    });
    if let Some(place) = empty {
        return Records::List(place.pointer.clone(), Vec::new());
    }
    let members = places.iter().find(|place| {
        let is_named = place.name == called || LISTS.contains(&&*place.name);
        is_named && matches!(place.value, AnswerValue::Objects(count) if count > 1)
    });
    match members {
        Some(place) => Records::Members(place.pointer.clone()),
        None => Records::One,
    }
}
