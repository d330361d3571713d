//! From where several pipelines can go on together in one run of their program.
//!
//! A state covers all streams. So a run may begin at one only if every pipeline that takes part has all
//! records before it: it is there, or further on in the same run. Where there is no such state, the program
//! is run more than once. To put parts of different states together is left to Airbyte, whose states say
//! of which stream they are: a tap may read one stream by the bookmark of another.

use std::cmp::Reverse;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::source::program::cursor::ResumePoint;
use crate::source::program::settings::Protocol;

/// A pipeline that wants to take part.
pub(super) struct RunCandidate {
    /// Of its stream.
    pub(super) identity: String,
    /// Where it may begin, the latest first; there is one at least.
    pub(super) points: Vec<ResumePoint>,
}

/// Those that share a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RunPlan {
    pub(super) members: Vec<usize>,
    pub(super) start: ResumePoint,
}

/// Puts candidates together where that can be. Those that go on come before those that begin.
pub(super) fn parts(protocol: Protocol, candidates: &[RunCandidate]) -> Vec<RunPlan> {
    let mut parts: Vec<RunPlan> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let joined = parts.iter().position(|part| {
            let mut members = part.members.iter().map(|member| &candidates[*member]);
            members.all(|member| member.identity != candidate.identity)
                && start(protocol, candidates, &part.members, index).is_some()
        });
        match joined {
            Some(at) => parts[at].members.push(index),
            None => parts.push(RunPlan { members: vec![index], start: ResumePoint::default() }),
        }
    }
    for part in &mut parts {
        let (last, others) = part.members.split_last().unwrap_or((&0, &[]));
        part.start = start(protocol, candidates, others, *last).unwrap_or_default();
    }
    parts.sort_by_key(|part| (part.start.state.is_none(), Reverse(part.members.len())));
    parts
}

/// Where these and one more can begin.
fn start(
    protocol: Protocol,
    candidates: &[RunCandidate],
    members: &[usize],
    one_more: usize,
) -> Option<ResumePoint> {
    let all = members.iter().chain([&one_more]);
    let all: Vec<&[ResumePoint]> = all.map(|at| &candidates[*at].points[..]).collect();
    let together = (protocol == Protocol::Airbyte).then(|| put_together(&all));
    together.flatten().or_else(|| common(&all))
}

/// The point at which all of them are, or were: the latest of one, if it can be.
fn common(all: &[&[ResumePoint]]) -> Option<ResumePoint> {
    let latest = all.iter().filter_map(|points| points.first());
    let earlier = all.iter().flat_map(|points| points.iter().skip(1));
    let mut points = latest.chain(earlier);
    let is_safe = |point: &&ResumePoint| all.iter().all(|points| has_passed(points, point));
    points.find(is_safe).cloned()
}

fn has_passed(points: &[ResumePoint], point: &ResumePoint) -> bool {
    points.iter().any(|known| {
        let further = known.place.as_ref().zip(point.place.as_ref());
        known.state == point.state
            || further.is_some_and(|(known, place)| {
                known.run == place.run && known.number >= place.number
            })
    })
}

/// Whether a pipeline that came to its end apart, with `state` at last, may go on from a state that others had
/// before: it has all that the source had then, unless the tap gives no more than a part of it in a run.
/// So `state` has to be as far, where both speak of a stream.
pub(super) fn has_caught_up(
    stream: &str,
    has_begun: bool,
    state: Option<&str>,
    with: &ResumePoint,
) -> bool {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    let Some(with) = with.state.as_deref().and_then(parse) else {
        return false;
    };
    let state = state.and_then(parse).unwrap_or_default();
    let Some(bookmarks) = with["bookmarks"].as_object() else {
        return is_as_far(&state, &with);
    };
    // A stream of which they say nothing begins at the start once more: not for one that did not.
    (has_begun || bookmarks.contains_key(stream))
        && bookmarks.iter().all(|(name, with)| match state["bookmarks"].get(name) {
            Some(known) => is_as_far(known, with),
            None => name != stream,
        })
}

/// Whether each value in it is the same as in the other, or a later one.
fn is_as_far(value: &Value, other: &Value) -> bool {
    let is_time = |text: &str| text.len() > 4 && text.bytes().take(4).all(|b| b.is_ascii_digit());
    match (value, other) {
        (Value::Object(value), Value::Object(other)) => (other.iter())
            .all(|(name, other)| value.get(name).is_some_and(|value| is_as_far(value, other))),
        (Value::Array(value), Value::Array(other)) => {
            value.len() == other.len()
                && value.iter().zip(other).all(|(value, other)| is_as_far(value, other))
        }
        (Value::Number(value), Value::Number(other)) => match (value.as_i64(), other.as_i64()) {
            (Some(value), Some(other)) => value >= other,
            _ => value.as_f64() >= other.as_f64(),
        },
        (Value::String(value), Value::String(other)) => {
            value == other
                || value.len() == other.len() && is_time(value) && is_time(other) && value > other
        }
        _ => value == other,
    }
}

/// The states of single streams as one.
fn put_together(all: &[&[ResumePoint]]) -> Option<ResumePoint> {
    #[derive(Deserialize)]
    struct State {
        #[serde(rename = "type")]
        kind: String,
    }
    let mut states = Vec::new();
    for points in all {
        let Some(text) = points.first()?.state.as_deref() else {
            continue;
        };
        let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        for state in list {
            let is_of_stream = |state: State| state.kind == "STREAM";
            if !serde_json::from_str(state.get()).is_ok_and(is_of_stream) {
                return None;
            }
            states.push(state.get());
        }
    }
    Some(ResumePoint {
        place: None,
        state: (!states.is_empty()).then(|| format!("[{}]", states.join(","))),
    })
}

#[cfg(test)]
mod tests;
