//! What follows from an attempt: rows are noted as sent, set aside as dead, or left for later, or the sender stops.

use super::{Sender, Unsettled};
use crate::error::{Error, Kind};
use crate::report::DeliveryReport;
use crate::run::delivery::outcome::{Attempt, DeliveryOutcome, Outcome, TRIES_WHILE_OTHERS_PASS};
use serde_json::json;

/// After this many suspects in a row, the fault is not in the rows.
const SUSPECTS_IN_A_ROW: usize = 10;
/// After this many refused rows in a row, something is wrong with all of them.
const REFUSED_IN_A_ROW: usize = 100;

impl Sender<'_> {
    pub(super) fn handle(&mut self, attempt: Attempt, report: &mut DeliveryReport) -> Unsettled {
        let mut unsettled = Unsettled::default();
        for mut attempted in attempt.items {
            match std::mem::replace(&mut attempted.outcome, Outcome::Sent) {
                Outcome::WithoutOthers => unsettled.without_others.push(attempted.delivery),
                Outcome::InHalves => unsettled.in_halves.push(attempted.delivery),
                outcome => self.handle_one(attempted, attempt.retries, outcome, report),
            }
        }
        unsettled
    }

    fn handle_one(
        &mut self,
        attempted: DeliveryOutcome,
        retries: u32,
        outcome: Outcome,
        report: &mut DeliveryReport,
    ) {
        match outcome {
            Outcome::Sent => {
                self.has_sent = true;
                self.refused_in_a_row = 0;
                report.sent += 1;
                self.note(&attempted, retries, "sent", None);
                self.settle_suspects(report);
            }
            Outcome::Refused(error) if !self.route.is_final && is_between_rows(&error) => {
                tracing::info!("put off: {}", error.message());
                report.put_off += 1;
                self.note(&attempted, retries, "put_off", Some(error.message()));
                self.refused_in_a_row += 1;
                self.is_early = self.refused_in_a_row >= REFUSED_IN_A_ROW;
            }
            Outcome::Refused(error) => {
                self.refuse(&attempted, retries, &error, report);
                self.refused_in_a_row += 1;
                if self.refused_in_a_row >= REFUSED_IN_A_ROW && self.error.is_none() {
                    let what = format!(
                        "the last {} deliveries were refused, and none was taken; the latest: {}",
                        self.refused_in_a_row,
                        error.message()
                    );
                    self.error = Some(Error::new(Kind::Threshold, what).next(
                        "see sluice deliveries PIPELINE; correct the body function, \
                                   then sluice redeliver PIPELINE",
                    ));
                }
            }
            Outcome::Suspect(error) => {
                self.suspects.push((attempted, retries, error));
                if self.suspects.len() >= SUSPECTS_IN_A_ROW {
                    self.has_sent = false;
                    self.settle_suspects(report);
                }
            }
            Outcome::Later(error) => {
                let times = self.put_off.entry(attempted.delivery.id).or_default();
                *times += 1;
                let outcome = match *times < TRIES_WHILE_OTHERS_PASS {
                    true => "again",
                    false => "waiting",
                };
                tracing::warn!("put off: {}", error.message());
                self.note(&attempted, retries, outcome, Some(error.message()));
            }
            Outcome::Undecided(error) => {
                tracing::warn!("left for the next time: {}", error.message());
                self.note(&attempted, retries, "waiting", Some(error.message()));
            }
            Outcome::Stopped(error) => {
                self.note(&attempted, retries, "released", Some(error.message()));
                self.error.get_or_insert(error);
            }
            Outcome::BrokenOff(error) => {
                self.note(&attempted, retries, "waiting", Some(error.message()));
                self.error.get_or_insert(error);
            }
            // Not decided yet: `handle` keeps them apart.
            Outcome::WithoutOthers | Outcome::InHalves => {}
        }
    }

    /// Refuses the suspects if another row got through; otherwise the fault is not in the rows, and the sender stops.
    pub(super) fn settle_suspects(&mut self, report: &mut DeliveryReport) {
        let suspects = std::mem::take(&mut self.suspects);
        for (attempted, retries, error) in suspects {
            if self.has_sent {
                let is_gone = matches!(attempted.answer.status, Some(404 | 410));
                if is_gone && self.destination.only_deletes(&attempted.delivery) {
                    report.sent += 1;
                    self.note(&attempted, retries, "sent", None);
                } else {
                    self.refuse(&attempted, retries, &error, report);
                }
            } else {
                self.note(&attempted, retries, "released", Some(error.message()));
                self.error.get_or_insert(error.next(
                    "no row gets through: check url, method and credential of deliver; nothing was given up",
                ));
            }
        }
    }

    fn refuse(
        &mut self,
        attempted: &DeliveryOutcome,
        retries: u32,
        error: &Error,
        report: &mut DeliveryReport,
    ) {
        tracing::info!("refused: {}", error.message());
        report.dead += 1;
        self.note(attempted, retries, "dead", Some(error.message()));
    }

    fn note(
        &mut self,
        attempted: &DeliveryOutcome,
        retries: u32,
        outcome: &str,
        error: Option<&str>,
    ) {
        self.outcomes.push(json!({
            "id": attempted.delivery.id, "outcome": outcome, "error": error, "retries": retries,
            "status": attempted.answer.status, "answer": attempted.answer.text,
        }));
    }
}

/// Whether what is refused may be taken once other rows have come or gone: it refers to a row that is not there, is
/// referred to, or is in the place of another one.
fn is_between_rows(error: &Error) -> bool {
    matches!(error.sqlstate(), Some("23503" | "23505" | "23P01"))
}
