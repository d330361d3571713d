//! Finds the members of a JSON object.

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

/// Deeper nesting than this many brackets is for the server to judge, whose stack has a limit.
const MOST_BRACKETS: usize = 1000;

/// Finds the values of certain members.
#[derive(Debug)]
pub(super) struct MemberSlicer {
    columns: HashMap<String, usize>,
    /// The members of the previous record by place; they are mostly those of the next one, too.
    members: Vec<(String, Option<usize>)>,
    values: Vec<Range<usize>>,
}

impl MemberSlicer {
    pub(super) fn new(columns: &[String]) -> Self {
        let by_name = columns.iter().cloned().zip(0..);
        MemberSlicer {
            columns: by_name.collect(),
            members: Vec::new(),
            values: vec![0..0; columns.len()],
        }
    }

    /// Looks at a payload; false if it is not certainly what Postgres takes for a JSON object.
    pub(super) fn slice(&mut self, json: &str) -> bool {
        self.values.fill(0..0);
        let mut reader = serde_json::Deserializer::from_str(json);
        let members = MemberVisitor { slicer: self, json };
        reader.deserialize_map(members).is_ok() && reader.end().is_ok() && is_plain(json.as_bytes())
    }

    /// For each column where its value is, of several the last; empty if there is none.
    pub(super) fn values(&self) -> &[Range<usize>] {
        &self.values
    }

    fn column(&mut self, place: usize, name: &str) -> Option<usize> {
        match self.members.get(place) {
            Some((known, column)) if known == name => *column,
            known => {
                let column = self.columns.get(name).copied();
                let member = (name.to_owned(), column);
                match known {
                    Some(_) => self.members[place] = member,
                    // Records may have names without end.
                    None if place < 2 * self.values.len() => self.members.push(member),
                    None => {}
                }
                column
            }
        }
    }
}

struct MemberVisitor<'a, 'de> {
    slicer: &'a mut MemberSlicer,
    json: &'de str,
}

impl<'de> Visitor<'de> for MemberVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let MemberVisitor { slicer, json } = self;
        let mut place = 0;
        while let Some(column) = members.next_key_seed(Name { slicer, place })? {
            let value: &RawValue = members.next_value()?;
            if let Some(column) = column {
                let start = (value.get().as_ptr() as usize)
                    .checked_sub(json.as_ptr() as usize)
                    .ok_or_else(|| A::Error::custom("a value from elsewhere"))?;
                slicer.values[column] = start..start + value.get().len();
            }
            place += 1;
        }
        Ok(())
    }
}

/// The name of a member, and which column it is.
struct Name<'a> {
    slicer: &'a mut MemberSlicer,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.slicer.column(self.place, name))
    }
}

/// Whether Postgres takes what has been found to be JSON: its texts hold no NUL and no half of a
/// surrogate pair.
pub(super) fn is_plain(json: &[u8]) -> bool {
    if memchr::memchr2_iter(b'[', b'{', json).count() > MOST_BRACKETS {
        return false;
    }
    let mut at = 0;
    while let Some(hit) = json.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += hit;
        let Some(unit) = unit(&json[at..]) else {
            at += 2; // another escape, or half of one
            continue;
        };
        at += 6;
        match unit {
            0 | 0xdc00..=0xdfff => return false,
            0xd800..=0xdbff if !matches!(self::unit(&json[at..]), Some(0xdc00..=0xdfff)) => {
                return false;
            }
            0xd800..=0xdbff => at += 6,
            _ => {}
        }
    }
    true
}

/// The UTF-16 unit that the bytes begin with, if they are its escape.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
