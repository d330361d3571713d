//! What a sample of records shows about their fields.

use super::kind::ValueKind;
use super::members::Members;
use std::collections::{BTreeMap, HashSet};

/// The keys of an object with more members than this, most of them in few records, are data.
const MEMBERS_OF_A_RECORD: usize = 16;

/// The most columns that objects are flattened into.
const MOST_COLUMNS: usize = 400;

/// A field, and what is below it in objects.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) evidence: Evidence,
    objects: u64,
    members: Vec<(String, Field)>,
}

/// What a field held.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Values that are not null, by what they look like, with the first of each.
    pub(super) kinds: BTreeMap<ValueKind, (u64, String)>,
    /// Those that look like text, as long as they are few.
    pub(super) words: HashSet<String>,
    /// Some were JSON strings: the source itself does not call them numbers.
    pub(super) is_quoted: bool,
    values: u64,
    distinct: HashSet<String>,
}

/// So many words are remembered.
const WORDS: usize = 4;

impl Field {
    /// Notes a record.
    pub(super) fn note(&mut self, json: &str) {
        match json.as_bytes().first() {
            Some(b'{') => match Members::of(json) {
                Some(members) => self.note_members(members),
                None => self.evidence.note(ValueKind::Json, json),
            },
            Some(b'[') => self.evidence.note(ValueKind::Json, json),
            Some(b'"') => {
                let text: String = serde_json::from_str(json).unwrap_or_default();
                self.evidence.is_quoted = true;
                self.evidence.note(ValueKind::of_text(&text), &text);
            }
            _ => {
                if let Some(kind) = ValueKind::of_literal(json) {
                    self.evidence.note(kind, json);
                }
            }
        }
    }

    fn note_members(&mut self, members: Members<'_>) {
        self.objects += 1;
        for (index, (name, value)) in members.0.into_iter().enumerate() {
            // Usually the order is the same as in the previous record.
            let known = match self.members.get(index) {
                Some((known, _)) if *known == name => Some(index),
                _ => self.members.iter().position(|(known, _)| *known == name),
            };
            let index = known.unwrap_or_else(|| {
                self.members.push((name, Field::default()));
                self.members.len() - 1
            });
            self.members[index].1.note(value.get());
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<&Field> {
        let mut members = self.members.iter();
        members.find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// The fields that become columns, with the way to each; objects become several if `flatten`.
    pub(super) fn leaves(&self, flatten: bool) -> Vec<(Vec<String>, &Field)> {
        let mut leaves = Vec::new();
        self.add_leaves(&mut Vec::new(), flatten, &mut leaves);
        if flatten && leaves.len() > MOST_COLUMNS {
            return self.leaves(false);
        }
        leaves
    }

    fn add_leaves<'a>(
        &'a self,
        path: &mut Vec<String>,
        flatten: bool,
        leaves: &mut Vec<(Vec<String>, &'a Field)>,
    ) {
        let is_record = path.is_empty();
        if self.is_json() || !(self.objects > 0 && (flatten || is_record)) {
            leaves.push((path.clone(), self));
            return;
        }
        for (name, field) in &self.members {
            path.push(name.clone());
            field.add_leaves(path, flatten, leaves);
            path.pop();
        }
    }

    /// Whether it stays JSON: it is not always an object, or one whose keys are data.
    fn is_json(&self) -> bool {
        let present: u64 = self.members.iter().map(|(_, it)| it.presence()).sum();
        let are_data = self.members.len() > MEMBERS_OF_A_RECORD
            && present * 4 < self.objects * self.members.len() as u64;
        let is_mixed = self.objects > 0 && self.evidence.values > 0;
        is_mixed || are_data || (self.objects > 0 && self.members.is_empty())
    }

    fn presence(&self) -> u64 {
        self.objects + self.evidence.values
    }

    /// What a leaf looked like, objects included.
    pub(super) fn kinds(&self) -> BTreeMap<ValueKind, (u64, String)> {
        let mut kinds = self.evidence.kinds.clone();
        if self.objects > 0 {
            kinds.entry(ValueKind::Json).or_default().0 += self.objects;
        }
        kinds
    }
}

impl Evidence {
    fn note(&mut self, kind: ValueKind, text: &str) {
        self.values += 1;
        self.kinds.entry(kind).or_insert_with(|| (0, text.to_owned())).0 += 1;
        if kind == ValueKind::Text && self.words.len() < WORDS {
            self.words.insert(text.to_owned());
        }
        self.distinct.insert(text.to_owned());
    }

    /// Whether each of `records` has a value, and each another one.
    pub(super) fn is_unique(&self, records: u64) -> bool {
        self.is_full(records) && self.distinct.len() as u64 == records
    }

    /// Whether each of `records` has a value.
    pub(super) fn is_full(&self, records: u64) -> bool {
        self.values == records && !self.kinds.contains_key(&ValueKind::Empty)
    }
}
