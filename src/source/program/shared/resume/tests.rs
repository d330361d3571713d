//! Marks that pipelines may have, and where they begin.

use super::{RunCandidate, RunPlan, has_caught_up, parts};
use crate::source::program::cursor::{ResumePoint, StateId};
use crate::source::program::settings::Protocol;

fn at(run: &str, number: u64) -> ResumePoint {
    ResumePoint {
        place: Some(StateId { run: run.to_owned(), number }),
        state: Some(format!("{run}/{number}")),
    }
}

fn alone(state: &str) -> ResumePoint {
    ResumePoint { place: None, state: Some(state.to_owned()) }
}

fn start() -> ResumePoint {
    ResumePoint::default()
}

fn plan(protocol: Protocol, points: &[&[ResumePoint]]) -> Vec<(Vec<usize>, ResumePoint)> {
    let candidate = |(index, points): (usize, &&[ResumePoint])| RunCandidate {
        identity: index.to_string(),
        points: points.to_vec(),
    };
    let candidates: Vec<RunCandidate> = points.iter().enumerate().map(candidate).collect();
    let parts = parts(protocol, &candidates).into_iter();
    parts.map(|RunPlan { members, start }| (members, start)).collect()
}

fn taps(points: &[&[ResumePoint]]) -> Vec<(Vec<usize>, ResumePoint)> {
    plan(Protocol::Singer, points)
}

#[test]
fn a_run_begins_at_the_state_of_the_one_that_is_least_far() {
    let a = [at("b", 7), at("a", 2)];
    let b = [at("b", 5), at("a", 2)];
    assert_eq!(taps(&[&a, &b]), [(vec![0, 1], at("b", 5))]);
    assert_eq!(taps(&[&b, &a]), [(vec![0, 1], at("b", 5))]);
}

#[test]
fn one_that_committed_nothing_of_a_run_takes_it_back_to_where_that_began() {
    // It was behind, or further on, in the run before.
    for number in [2, 9] {
        let left = [at("a", number), start()];
        let went_on = [at("b", 7), at("a", 2)];
        assert_eq!(taps(&[&left, &went_on]), [(vec![0, 1], at("a", 2))]);
    }
    assert_eq!(taps(&[&[start()], &[at("a", 7), start()]]), [(vec![0, 1], start())]);
}

#[test]
fn one_that_was_set_back_takes_the_others_with_it_as_far_as_they_know() {
    let a = [at("b", 7), at("a", 3)];
    let back = [at("a", 1)];
    assert_eq!(taps(&[&a, &back]), [(vec![0, 1], at("a", 1))]);
    let further_back = [at("0", 1)];
    assert_eq!(taps(&[&a, &further_back]), [(vec![0], at("b", 7)), (vec![1], at("0", 1))]);
}

#[test]
fn one_that_was_run_alone_is_met_where_it_left() {
    let a = [alone("later"), at("a", 3)];
    let b = [at("a", 5), start()];
    assert_eq!(taps(&[&a, &b]), [(vec![0, 1], at("a", 3))]);
}

#[test]
fn what_shares_no_state_is_run_apart_and_what_begins_comes_last() {
    let (a, b) = ([at("b", 7), at("a", 3)], [at("b", 6), at("a", 3)]);
    assert_eq!(
        taps(&[&[start()], &[alone("x")], &a, &[start()], &b]),
        [(vec![2, 4], at("b", 6)), (vec![1], alone("x")), (vec![0, 3], start()),]
    );
}

#[test]
fn a_stream_is_read_once_in_a_run() {
    let candidate = || RunCandidate { identity: "items".to_owned(), points: vec![start()] };
    let found = parts(Protocol::Singer, &[candidate(), candidate()]);
    assert_eq!(found.len(), 2);
}

#[test]
fn states_of_single_streams_are_put_together_and_no_others() {
    let stream = |name: &str| alone(&format!(r#"[{{"type":"STREAM","stream":"{name}"}}]"#));
    let connectors = |points: &[&[ResumePoint]]| plan(Protocol::Airbyte, points);
    let (a, b) = ([stream("a")], [stream("b")]);
    assert_eq!(
        connectors(&[&a, &[start()], &b]),
        [(
            vec![0, 1, 2],
            alone(r#"[{"type":"STREAM","stream":"a"},{"type":"STREAM","stream":"b"}]"#)
        )]
    );
    for other in [r#"[{"type":"GLOBAL"}]"#, r#"{"a": 1}"#] {
        assert_eq!(connectors(&[&a, &[alone(other)]]).len(), 2, "{other}");
    }
    assert_eq!(taps(&[&a, &b]).len(), 2);
}

#[test]
fn one_apart_has_caught_up_when_its_state_is_as_far_in_its_stream() {
    let of = |a: &str| format!(r#"{{"bookmarks": {{"a": {a}}}}}"#);
    let day = |day: u32| of(&format!(r#"{{"key": "at", "value": "2026-01-{day:02}T00:00:00Z"}}"#));
    for (state, with, caught_up) in [
        (day(5), day(4), true),
        (day(4), day(4), true),
        (day(3), day(4), false),
        (of("12"), of("9"), true),
        (of("1.5"), of("2"), false),
        // Whether one word is behind another nobody knows.
        (of(r#""y""#), of(r#""x""#), false),
        (of(r#""2026-02""#), of(r#""2026-01-31""#), false),
        (of("null"), of("7"), false),
        ("{}".to_owned(), of("7"), false),
        // Of another stream that it read on the way, as well.
        (
            r#"{"bookmarks": {"a": 9, "parent": 3}}"#.to_owned(),
            r#"{"bookmarks": {"a": 9, "parent": 4}}"#.to_owned(),
            false,
        ),
        (r#"{"lsn": 8}"#.to_owned(), r#"{"lsn": 7}"#.to_owned(), true),
        (r#"[{"lsn": 6}]"#.to_owned(), r#"[{"lsn": 7}]"#.to_owned(), false),
    ] {
        for has_begun in [true, false] {
            let found = has_caught_up("a", has_begun, Some(&state), &alone(&with));
            assert_eq!(found, caught_up, "{state} with {with}");
        }
    }
    // They say nothing of it: it is read from the start once more.
    let others = alone(r#"{"bookmarks": {"b": 7}}"#);
    assert!(has_caught_up("a", true, Some(&of("7")), &others));
    assert!(has_caught_up("a", true, None, &others));
    assert!(!has_caught_up("a", false, Some(&of("7")), &others));
    assert!(!has_caught_up("a", true, None, &alone(r#"{"lsn": 7}"#)));
}
