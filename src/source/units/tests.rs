//! Units that are made up.

use super::super::records::Position;
use super::*;
use crate::source::BatchLimits;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Fact;

impl UnitIdentity for Fact {
    const NOUN: &'static str = "parcel";
    const REPLACED: &'static str = "replaced";
    const ANOTHER_NAME: &'static str = "a new name";
    const MAY_GROW: bool = false;
}

/// Gives two records, and is replaced while it does.
struct Replaced;

impl Content for Replaced {
    fn name(&self) -> &str {
        "a"
    }

    fn read_into(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome> {
        out.push(1, b"{}");
        out.push(2, b"{}");
        Ok(ReadOutcome::EndOfInput)
    }

    fn position(&self) -> Position {
        unreachable!("nothing of it is kept")
    }

    fn progress(&self) -> (u64, u64) {
        (6, 2)
    }

    fn raw_position(&self) -> u64 {
        6
    }

    fn is_handed_out(&self) -> bool {
        false
    }

    fn is_done(&self) -> bool {
        true
    }

    fn is_damaged(&self) -> bool {
        false
    }

    fn count_batch(&mut self) {}

    fn explain_damage(&self, error: Error) -> Error {
        error
    }

    fn note(&self) -> Option<String> {
        None
    }

    fn remark(&self) -> Option<String> {
        None
    }
}

impl Unit for Replaced {
    fn content(&mut self) -> &mut dyn Content {
        self
    }

    fn state(&self) -> Result<Option<ObjectState>> {
        unreachable!("nothing of it is kept")
    }

    fn change(&self) -> Result<Option<UnitChange>> {
        Ok(Some(UnitChange::Replaced("it is another one".to_owned())))
    }
}

#[test]
fn records_of_a_unit_that_was_replaced_meanwhile_are_taken_out() {
    let mut out = BatchBuilder::new(BatchLimits { rows: 10, bytes: 100, digests: false });
    let mut units = Units::new(OnReplace::Error, &Remarks::default());
    let done = units.read_on(Replaced, &mut out).unwrap();
    assert!(matches!(done, UnitRead::Changed(_, UnitChange::Replaced(_))));
    assert!(out.is_empty());
    assert_eq!(units.cursor(), None);
}

#[test]
fn unit_is_begun_again_if_nothing_of_it_was_handed_out_or_that_is_allowed() {
    for (on_replace, is_handed_out, is_allowed) in [
        (OnReplace::Error, false, true),
        (OnReplace::Error, true, false),
        (OnReplace::Reload, false, true),
        (OnReplace::Reload, true, true),
    ] {
        let remarks = Remarks::default();
        let mut units = Units::new(on_replace, &remarks);
        let mut begin_again = || units.begin_again::<Fact>("a", "it is bigger", is_handed_out);
        assert_eq!(begin_again().is_ok(), is_allowed);
        if is_allowed {
            assert!(begin_again().is_ok() && begin_again().is_ok());
            assert_eq!(remarks.lines().len(), 3);
        }
        let error = begin_again().unwrap_err().to_string();
        assert!(error.contains("parcel `a` was replaced since it was read"));
        assert!(error.contains("it is bigger"), "{error}");
    }
}
