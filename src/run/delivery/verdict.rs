//! What came of deliveries that were sent at once.

use crate::batch::Claimed;
use crate::error::Error;

/// So often is one delivery tried while others get through; then it waits for the next sender.
pub(super) const TRIES_WHILE_OTHERS_PASS: u32 = 6;

/// What came of deliveries that were sent at once.
#[derive(Default)]
pub(super) struct Attempted {
    pub(super) items: Vec<Tried>,
    /// Requests beyond the first.
    pub(super) retries: u32,
}

/// What came of one of them.
pub(super) struct Tried {
    pub(super) delivery: Claimed,
    pub(super) verdict: Verdict,
    pub(super) answer: Answer,
}

/// What the other side said last, as far as it is kept.
#[derive(Default, Clone)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) text: Option<String>,
}

pub(super) enum Verdict {
    Sent,
    /// This row is refused.
    Refused(Error),
    /// The row is refused, or all of them are: that shows in what becomes of others.
    Suspect(Error),
    /// It may have arrived, or not; others get through.
    Undecided(Error),
    /// The same, and it is to be tried again without those that it was sent with.
    Later(Error),
    /// No row would get through; this one did certainly not.
    Stopped(Error),
    /// No row gets through; whether this one did is not known.
    BrokenOff(Error),
    /// Nothing was done, as others are refused: once more without them.
    WithoutOthers,
    /// All were refused together: in halves, to find the one that is to blame.
    InHalves,
}

impl Verdict {
    /// The same of another delivery.
    fn of_another(&self) -> Self {
        let again = |error: &Error| Error::new(error.kind(), error.message());
        match self {
            Verdict::Sent => Verdict::Sent,
            Verdict::Refused(error) => Verdict::Refused(again(error)),
            Verdict::Suspect(error) => Verdict::Suspect(again(error)),
            Verdict::Undecided(error) => Verdict::Undecided(again(error)),
            Verdict::Later(error) => Verdict::Later(again(error)),
            Verdict::Stopped(error) => Verdict::Stopped(again(error)),
            Verdict::BrokenOff(error) => Verdict::BrokenOff(again(error)),
            Verdict::WithoutOthers => Verdict::WithoutOthers,
            Verdict::InHalves => Verdict::InHalves,
        }
    }
}

impl Attempted {
    pub(super) fn has_sent(&self) -> bool {
        let is_sent = |tried: &Tried| matches!(tried.verdict, Verdict::Sent);
        self.items.iter().any(is_sent)
    }

    /// The same came of all of them.
    pub(super) fn of_all(
        deliveries: Vec<Claimed>,
        verdict: Verdict,
        answer: &Answer,
        retries: u32,
    ) -> Self {
        let tried = |delivery| Tried {
            delivery,
            verdict: verdict.of_another(),
            answer: answer.clone(),
        };
        let mut items: Vec<Tried> = deliveries.into_iter().map(tried).collect();
        // Causes and next steps are said once.
        if let Some(first) = items.first_mut() {
            first.verdict = verdict;
        }
        Attempted { items, retries }
    }
}
