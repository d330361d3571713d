//! The pipelines that share a program: who has come, what can be run together, and the runs.

use std::sync::mpsc::Receiver;

use super::telling::tell;
use super::{Guest, News, refuse};
use crate::source::Means;
use crate::source::children::Children;
use crate::source::program::dialogue::{Began, Dialogue};
use crate::source::program::ground::{Candidate, Part, has_caught_up, parts};
use crate::source::program::hearing::Hearing;
use crate::source::program::mark::{Place, Point};
use crate::source::program::offer::{Offer, Offered};
use crate::source::program::queue::queue;
use crate::source::program::settings::Settings;

/// What the thread that hears the program knows of the members.
pub(super) struct Company {
    coming: Receiver<News>,
    has_left: Vec<bool>,
    children: Children,
}

impl Company {
    pub(super) fn of(members: usize, coming: Receiver<News>, children: Children) -> Self {
        Company {
            coming,
            has_left: vec![false; members],
            children,
        }
    }

    /// Waits for the members, and runs the program for them.
    pub(super) fn meet(mut self) {
        let mut guests = Vec::new();
        while guests.len() + self.gone(&guests) < self.has_left.len() {
            match self.coming.recv() {
                Ok(News::Came(guest)) => guests.push(*guest),
                Ok(News::Left(index)) => self.has_left[index] = true,
                Err(_) => return,
            }
        }
        guests.sort_by_key(|guest| guest.index);
        self.serve(guests);
    }

    /// How many have left without coming.
    fn gone(&self, guests: &[Guest]) -> usize {
        let has_come = |index: usize| guests.iter().any(|guest| guest.index == index);
        let left = self.has_left.iter().enumerate();
        left.filter(|(index, left)| **left && !has_come(*index))
            .count()
    }

    fn serve(&mut self, mut guests: Vec<Guest>) {
        // Nobody starts a program for runs that were stopped while they waited.
        self.look_who_left();
        guests.retain(|guest| !self.has_left[guest.index]);
        let Some(first) = guests.first() else {
            return;
        };
        let mut means = first.means.clone();
        means.children = self.children.clone();
        let protocol = first.settings.protocol;
        let offer = match Offer::of(&first.settings, &means) {
            Ok(offer) => offer,
            Err(error) => return refuse(&guests, &error),
        };
        let mut offered = Vec::new();
        guests.retain(|guest| match offer.find(&guest.settings) {
            Ok(found) => {
                offered.push(found);
                true
            }
            Err(error) => {
                guest.answer(Err(error));
                false
            }
        });
        let candidates: Vec<Candidate> = (guests.iter().zip(&offered))
            .map(|(guest, offered)| Candidate {
                identity: offered.identity.clone(),
                points: guest.mark.points(offered.wholeness),
            })
            .collect();
        let parts = parts(protocol, &candidates);
        let is_one = parts.len() == 1;
        let mut guests: Vec<Option<(Guest, Offered)>> =
            guests.into_iter().zip(offered).map(Some).collect();
        let mut ahead: Option<Ahead> = None;
        for part in parts {
            self.look_who_left();
            let Part { members, start } = part;
            let members = members.iter().filter_map(|at| guests[*at].take());
            let members: Vec<_> = members
                .filter(|(guest, _)| !self.has_left[guest.index])
                .collect();
            if members.is_empty() {
                continue;
            }
            if let Some(ahead) = &ahead {
                ahead.tell(&members, start.state.is_none());
            }
            let names = members.iter().map(|(guest, _)| guest.pipeline.clone());
            let names = names.collect();
            let with = ahead.as_ref().map(|ahead| &ahead.last);
            let last = self.run(&offer, members, start, is_one, with, &means);
            ahead.get_or_insert(Ahead { names, last });
        }
    }

    fn look_who_left(&mut self) {
        while let Ok(News::Left(index)) = self.coming.try_recv() {
            self.has_left[index] = true;
        }
    }

    /// Runs the program for some of them, who may catch up `with` those that were ahead; the state that
    /// came last.
    fn run(
        &mut self,
        offer: &Offer,
        members: Vec<(Guest, Offered)>,
        start: Point,
        is_only: bool,
        with: Option<&Point>,
        means: &Means,
    ) -> Point {
        let settings: Vec<&Settings> = members.iter().map(|(guest, _)| &guest.settings).collect();
        let means = Means {
            remarks: members[0].0.means.remarks.clone(),
            ..means.clone()
        };
        let heard = match offer.start(&settings, start.state.as_deref(), &means) {
            Ok(heard) => heard,
            Err(error) => {
                let guests: Vec<Guest> = members.into_iter().map(|(guest, _)| guest).collect();
                refuse(&guests, &error);
                return start;
            }
        };
        let limit = members[0].0.max_record_bytes;
        let mut hearing = Hearing::new(heard, &settings, limit, &means.remarks);
        let is_alone = members.len() == 1;
        let run = (!is_alone || !is_only).then(|| format!("{:016x}", fastrand::u64(..)));
        let has_begun = start.state.is_none();
        let mut tellers = Vec::new();
        let mut streams = Vec::new();
        for (guest, offered) in members {
            let (teller, listener) = queue();
            let began = Began {
                run: run.clone(),
                earlier: match is_alone {
                    true => guest.mark.meeting_point(),
                    false => Some(start.clone()),
                },
            };
            let mark = guest.mark.clone();
            let feed = Box::new(listener);
            let wholeness = offered.wholeness;
            let dialogue = Dialogue::new(feed, &guest.settings, mark, wholeness, began);
            guest.answer(Ok(dialogue));
            tellers.push(Some(teller));
            streams.push(offered.identity);
        }
        let mut last = start;
        let ended = tell(&mut hearing, &mut tellers, |text, number| {
            last = Point {
                place: run.clone().map(|run| Place { run, number }),
                state: Some(text.to_owned()),
            };
        });
        if ended.is_ok() {
            hearing.tell_of_others();
        }
        for (index, teller) in tellers.iter().enumerate() {
            let Some(teller) = teller else { continue };
            let state = last.state.as_deref();
            let has_caught_up =
                |with: &&Point| has_caught_up(&streams[index], has_begun, state, with);
            teller.end(match &ended {
                Ok(()) => {
                    let whole = hearing.finish(index);
                    whole.map(|()| with.filter(has_caught_up).cloned())
                }
                Err(error) => Err(error.again()),
            });
        }
        last
    }
}

/// The part that was run first.
struct Ahead {
    names: Vec<String>,
    last: Point,
}

impl Ahead {
    /// Says to those that come behind why they are not with it.
    fn tell(&self, members: &[(Guest, Offered)], begins: bool) {
        let others = self.names.join(", ");
        for (guest, _) in members {
            let (name, program) = (&guest.pipeline, &guest.settings.program);
            guest.means.remarks.add(match begins {
                true => format!(
                    "{name} begins at the start, and {others} go on from a state: `{program}` was run once more for it"
                ),
                false => format!(
                    "the state of {name} is of another run than that of {others}: `{program}` was run once more for it; \
                     to let them share a run again: sluice rewind {name} --to-start"
                ),
            });
        }
    }
}
