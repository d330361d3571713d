//! The outcome of an attempt to deliver: of one row, or of several that were sent together.

use crate::batch::Claimed;
use crate::error::Error;

/// How often one delivery is tried while others get through; then it waits for the next sender.
pub(super) const TRIES_WHILE_OTHERS_PASS: u32 = 6;

/// The outcomes of deliveries that were sent together.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) items: Vec<DeliveryOutcome>,
    /// Requests beyond the first.
    pub(super) retries: u32,
}

pub(super) struct DeliveryOutcome {
    pub(super) delivery: Claimed,
    pub(super) outcome: Outcome,
    pub(super) answer: Answer,
}

/// The last answer of the destination, as far as it is kept.
#[derive(Default, Clone)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) text: Option<String>,
}

/// Rows without a decision go back to the outbox: `Stopped` as unsent, `Undecided` and `BrokenOff` as in flight.
pub(super) enum Outcome {
    Sent,
    /// This row is refused.
    Refused(Error),
    /// This row is refused, or every row is: which of the two shows in whether others get through.
    Suspect(Error),
    /// It may have arrived. Others get through.
    Undecided(Error),
    /// It was not taken this time, while others were: to be tried again in another request.
    Later(Error),
    /// No row would get through, and this one certainly did not arrive.
    Stopped(Error),
    /// No row gets through, and this one may have arrived.
    BrokenOff(Error),
    /// Nothing was written, as others in the parcel are refused: to be sent without them.
    WithoutOthers,
    /// The request was refused as a whole: to be split, to find the row that is to blame.
    InHalves,
}

impl Outcome {
    /// The same for another delivery.
    fn of_another(&self) -> Self {
        let again = |error: &Error| Error::new(error.kind(), error.message());
        match self {
            Outcome::Sent => Outcome::Sent,
            Outcome::Refused(error) => Outcome::Refused(again(error)),
            Outcome::Suspect(error) => Outcome::Suspect(again(error)),
            Outcome::Undecided(error) => Outcome::Undecided(again(error)),
            Outcome::Later(error) => Outcome::Later(again(error)),
            Outcome::Stopped(error) => Outcome::Stopped(again(error)),
            Outcome::BrokenOff(error) => Outcome::BrokenOff(again(error)),
            Outcome::WithoutOthers => Outcome::WithoutOthers,
            Outcome::InHalves => Outcome::InHalves,
        }
    }
}

impl Attempt {
    pub(super) fn has_sent(&self) -> bool {
        let is_sent = |attempted: &DeliveryOutcome| matches!(attempted.outcome, Outcome::Sent);
        self.items.iter().any(is_sent)
    }

    /// The same outcome for all of them.
    pub(super) fn of_all(
        deliveries: Vec<Claimed>,
        outcome: Outcome,
        answer: &Answer,
        retries: u32,
    ) -> Self {
        let attempted = |delivery| DeliveryOutcome {
            delivery,
            outcome: outcome.of_another(),
            answer: answer.clone(),
        };
        let mut items: Vec<DeliveryOutcome> = deliveries.into_iter().map(attempted).collect();
        // Causes and next steps are said once.
        if let Some(first) = items.first_mut() {
            first.outcome = outcome;
        }
        Attempt { items, retries }
    }
}
