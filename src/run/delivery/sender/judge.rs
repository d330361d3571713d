//! What comes of an attempt: noted, set aside, left for later, or the end of the sending.

use super::{Rest, Sender};
use crate::error::{Error, Kind};
use crate::report::DeliveryReport;
use crate::run::delivery::verdict::{Attempted, TRIES_WHILE_OTHERS_PASS, Tried, Verdict};
use serde_json::json;

/// So many rows in a row that may be to blame, or not: it is not the rows.
const SUSPECTS_IN_A_ROW: usize = 10;
/// So many rows in a row that were refused, and none taken: something is wrong with all of them.
const REFUSED_IN_A_ROW: usize = 100;

impl Sender<'_> {
    pub(super) fn judge(&mut self, attempted: Attempted, report: &mut DeliveryReport) -> Rest {
        let mut rest = Rest::default();
        for mut tried in attempted.items {
            match std::mem::replace(&mut tried.verdict, Verdict::Sent) {
                Verdict::WithoutOthers => rest.without_others.push(tried.delivery),
                Verdict::InHalves => rest.in_halves.push(tried.delivery),
                verdict => self.judge_one(tried, attempted.retries, verdict, report),
            }
        }
        rest
    }

    fn judge_one(
        &mut self,
        tried: Tried,
        retries: u32,
        verdict: Verdict,
        report: &mut DeliveryReport,
    ) {
        match verdict {
            Verdict::Sent => {
                self.has_sent = true;
                self.refused_in_a_row = 0;
                report.sent += 1;
                self.note(&tried, retries, "sent", None);
                self.settle_suspects(report);
            }
            Verdict::Refused(error) => {
                self.refuse(&tried, retries, &error, report);
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
            Verdict::Suspect(error) => {
                self.suspects.push((tried, retries, error));
                if self.suspects.len() >= SUSPECTS_IN_A_ROW {
                    self.has_sent = false;
                    self.settle_suspects(report);
                }
            }
            Verdict::Later(error) => {
                let times = self.put_off.entry(tried.delivery.id).or_default();
                *times += 1;
                let outcome = match *times < TRIES_WHILE_OTHERS_PASS {
                    true => "again",
                    false => "waiting",
                };
                tracing::warn!("put off: {}", error.message());
                self.note(&tried, retries, outcome, Some(error.message()));
            }
            Verdict::Undecided(error) => {
                tracing::warn!("left for the next time: {}", error.message());
                self.note(&tried, retries, "waiting", Some(error.message()));
            }
            Verdict::Stopped(error) => {
                self.note(&tried, retries, "released", Some(error.message()));
                self.error.get_or_insert(error);
            }
            Verdict::BrokenOff(error) => {
                self.note(&tried, retries, "waiting", Some(error.message()));
                self.error.get_or_insert(error);
            }
            // They are none of these: nothing is decided about them.
            Verdict::WithoutOthers | Verdict::InHalves => {}
        }
    }

    /// Whether it was the rows shows in whether any other got through.
    pub(super) fn settle_suspects(&mut self, report: &mut DeliveryReport) {
        let suspects = std::mem::take(&mut self.suspects);
        for (tried, retries, error) in suspects {
            if self.has_sent {
                let is_gone = matches!(tried.answer.status, Some(404 | 410));
                if is_gone && self.destination.only_deletes(&tried.delivery) {
                    report.sent += 1;
                    self.note(&tried, retries, "sent", None);
                } else {
                    self.refuse(&tried, retries, &error, report);
                }
            } else {
                self.note(&tried, retries, "released", Some(error.message()));
                self.error.get_or_insert(error.next(
                    "no row gets through: check url, method and credential of deliver; nothing was given up",
                ));
            }
        }
    }

    fn refuse(&mut self, tried: &Tried, retries: u32, error: &Error, report: &mut DeliveryReport) {
        tracing::info!("refused: {}", error.message());
        report.dead += 1;
        self.note(tried, retries, "dead", Some(error.message()));
    }

    fn note(&mut self, tried: &Tried, retries: u32, outcome: &str, error: Option<&str>) {
        self.outcomes.push(json!({
            "id": tried.delivery.id, "outcome": outcome, "error": error, "retries": retries,
            "status": tried.answer.status, "answer": tried.answer.text,
        }));
    }
}
