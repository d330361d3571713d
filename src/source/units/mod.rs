//! What files and objects have in common. Either is a unit: recognised by name and identity, resumed where the
//! last committed batch left it, and done at a proven end. It may be skipped, replaced or deleted.

mod known;
mod tally;

pub(super) use known::{
    ASKED_AT_ONCE, Answer, KnownUnit, UnitIdentity, UnitProgress, ask, by_name,
};
pub use known::{ChangedUnits, KnownObjects, ListedUnit};
pub(super) use tally::{PassedOver, Tally};

use serde_json::{Value, json};

use super::records::{Content, OnReplace, ReadOutcome};
use super::{BatchBuilder, ObjectState, Proof, Reason, Remarks};
use crate::error::{Error, Result};

/// Restarts of units that are replaced while they are read, in a run.
const RELOADS: usize = 3;

/// A file or an object being read.
pub(super) trait Unit {
    fn content(&mut self) -> &mut dyn Content;

    /// Its state as far as it was read; none if that is stored already.
    fn state(&self) -> Result<Option<ObjectState>>;

    /// What happened to it while it was read.
    fn change(&self) -> Result<Option<UnitChange>>;

    /// Checks that it ended where it has to.
    fn check_end(&self) -> Result<()> {
        Ok(())
    }

    /// Whether it has to be restored from an archive.
    fn is_archived(&self) -> bool {
        false
    }

    /// Whether it was read to its end before and has grown.
    fn has_grown(&self) -> bool {
        false
    }
}

/// What may happen to a unit while it is read.
pub(super) enum UnitChange {
    /// It was replaced: how it differs.
    Replaced(String),
    /// It was deleted before any batch contained records of it.
    Gone,
}

/// The proof of a unit that has to be restored from an archive.
pub(super) fn archived(name: &str, error: &Error) -> Proof {
    Proof::Partial(Reason::Waiting {
        name: name.to_owned(),
        why: format!("{}: restore it, or `sluice skip` it", error.message()),
    })
}

/// How far a unit was read.
pub(super) enum UnitRead<U> {
    /// More was read than batches have of it: it is to be opened again where its state says.
    Overread(U),
    BatchFull(U),
    Ended(Proof),
    /// It has changed; its records were removed from this batch.
    Changed(U, UnitChange),
}

/// The units of a source, one after the other.
pub(super) struct Units {
    on_replace: OnReplace,
    reloads: usize,
    cursor: Option<Value>,
    remarks: Remarks,
}

impl Units {
    pub(super) fn new(on_replace: OnReplace, remarks: &Remarks) -> Self {
        Units { on_replace, reloads: 0, cursor: None, remarks: remarks.clone() }
    }

    pub(super) fn cursor(&self) -> Option<Value> {
        self.cursor.clone()
    }

    pub(super) fn remark(&self, remark: impl Into<String>) {
        self.remarks.add(remark);
    }

    /// Skips a unit with this identity.
    pub(super) fn pass_over<I: UnitIdentity>(
        &mut self,
        mut state: ObjectState,
        identity: &I,
        out: &mut BatchBuilder,
    ) -> Result<()> {
        // By its identity a replacement is detected.
        state.identity = identity.to_json(&state.object)?;
        self.remark(format!("{} is passed over, as told", state.object));
        self.cursor = Some(json!({"object": state.object, "skipped": true}));
        out.note_object(state);
        Ok(())
    }

    /// Reads more of a unit.
    pub(super) fn read_on<U: Unit>(
        &mut self,
        mut unit: U,
        out: &mut BatchBuilder,
    ) -> Result<UnitRead<U>> {
        let content = unit.content();
        out.set_origin(content.name());
        let before = out.savepoint();
        let read = content.read_into(out);
        if !matches!(read, Ok(ReadOutcome::BatchFull))
            && let Some(change) = unit.change()?
        {
            // Records may be of the old or the new content.
            out.roll_back(before);
            return Ok(UnitRead::Changed(unit, change));
        }
        let has_records = out.rows() > before.rows();
        let progress = match read {
            Ok(progress) => progress,
            Err(error) => {
                let content = unit.content();
                let error = content.explain_damage(error);
                if content.is_damaged() {
                    out.roll_back(before);
                } else if has_records {
                    // Records before the error are sound and need not be read again.
                    self.note(&mut unit, out)?;
                }
                return match unit.is_archived() {
                    true => Ok(UnitRead::Ended(archived(unit.content().name(), &error))),
                    false => Err(error),
                };
            }
        };
        let is_overread = unit.content().is_to_be_reopened();
        if progress == ReadOutcome::EndOfInput && !is_overread {
            unit.check_end()?;
        }
        if unit.has_grown() && has_records {
            let name = unit.content().name();
            out.spoil(format!("of {name} only what was added to it was read"));
        }
        self.note(&mut unit, out)?;
        Ok(match progress {
            ReadOutcome::BatchFull => UnitRead::BatchFull(unit),
            ReadOutcome::EndOfInput if is_overread => UnitRead::Overread(unit),
            ReadOutcome::EndOfInput => {
                self.reloads = 0;
                UnitRead::Ended(self.proof(unit.content()))
            }
        })
    }

    /// Notes how far a unit was read.
    fn note(&mut self, unit: &mut impl Unit, out: &mut BatchBuilder) -> Result<()> {
        // First, as the state contains the number of batches.
        unit.content().count_batch();
        if let Some(state) = unit.state()? {
            let (bytes, records) = unit.content().progress();
            self.cursor = Some(json!({"object": state.object, "bytes": bytes, "records": records}));
            out.note_object(state);
        }
        Ok(())
    }

    fn proof(&self, content: &dyn Content) -> Proof {
        if let Some(note) = content.note() {
            self.remark(note);
        }
        match content.remark() {
            Some(why) if !content.is_done() => {
                Proof::Partial(Reason::Waiting { name: content.name().to_owned(), why })
            }
            remark => {
                remark.into_iter().for_each(|remark| self.remark(remark));
                Proof::Complete
            }
        }
    }

    /// Checks that a unit that has changed may be restarted: if no batch contains records of the old content,
    /// or if `on_replace` allows it.
    pub(super) fn begin_again<I: UnitIdentity>(
        &mut self,
        name: &str,
        difference: &str,
        is_handed_out: bool,
    ) -> Result<()> {
        let is_allowed = !is_handed_out || self.on_replace == OnReplace::Reload;
        if !is_allowed || self.reloads >= RELOADS {
            return Err(replaced::<I>(name, difference));
        }
        self.reloads += 1;
        self.remark(read_again(name, difference));
        Ok(())
    }
}

/// The remark about a unit that is restarted.
pub(super) fn read_again(name: &str, difference: &str) -> String {
    format!("{name} was replaced ({difference}): read again from the start")
}

/// The remark about a unit that was skipped and has changed since.
pub(super) fn read_after_all(name: &str) -> String {
    format!("{name} was passed over, and has changed since: read from its start")
}

/// The reason why a unit that was deleted is incomplete.
pub(super) fn lost(state: ObjectState) -> Reason {
    let records = &state.position["records"];
    Reason::Waiting {
        why: format!("{} is gone; {records} records of it were read", state.object),
        name: state.object,
    }
}

/// The error about a unit that was replaced.
pub(super) fn replaced<I: UnitIdentity>(name: &str, difference: &str) -> Error {
    let (noun, another_name) = (I::NOUN, I::ANOTHER_NAME);
    Error::failed(format!("{noun} `{name}` was {} since it was read", I::REPLACED))
        .detail(difference.to_owned())
        .next(format!(
            "give the new content {another_name}, run `sluice rewind PIPELINE --object {name}` to read it again \
             from the start (unchanged rows are skipped), or set `on_replace => 'reload'`"
        ))
}

#[cfg(test)]
mod tests;
