//! Runs a program for the pipelines that share it, as often as it takes.

use super::group::PipelineGroup;
use super::resume::{RunCandidate, RunPlan, has_caught_up, parts};
use super::{OpenRequest, refuse};
use crate::error::Result;
use crate::source::SourceContext;
use crate::source::program::catalog::Catalog;
use crate::source::program::cursor::{ResumePoint, StateId};
use crate::source::program::message_parser::CatalogStream;
use crate::source::program::queue::{MessageSender, queue};
use crate::source::program::router::{Recipient, Routed, Router, StreamMessage};
use crate::source::program::settings::ProgramSettings;
use crate::source::program::stream::{ProgramRun, ProgramStream};
use std::sync::Arc;

/// What the thread that runs the program knows of it.
pub(super) struct Runs {
    group: Arc<PipelineGroup>,
    catalog: Option<Catalog>,
    /// The part that was run first, for those who come behind.
    ahead: Option<EarlierRun>,
}

struct EarlierRun {
    names: Vec<String>,
    /// The state that came last.
    last: ResumePoint,
}

/// A pipeline, and its stream in the catalog.
type Participant = (OpenRequest, CatalogStream);

impl Runs {
    pub(super) fn of(group: Arc<PipelineGroup>) -> Self {
        Runs { group, catalog: None, ahead: None }
    }

    /// Serves all pipelines as they arrive.
    pub(super) fn serve_all(mut self) {
        while let Some(arrivals) = self.group.next_arrivals() {
            self.serve(arrivals);
        }
    }

    fn serve(&mut self, arrivals: Vec<OpenRequest>) {
        let context = SourceContext {
            children: self.group.children.clone(),
            remarks: self.group.remarks.clone(),
            ..arrivals[0].context.clone()
        };
        let program = arrivals[0].settings.program.clone();
        self.group.begin(&program, arrivals.iter().map(|arrival| arrival.index));
        let catalog = match self.catalog.take() {
            Some(catalog) => Ok(catalog),
            None => Catalog::of(&arrivals[0].settings, &context),
        };
        let catalog = match catalog {
            Ok(catalog) => catalog,
            Err(error) => return refuse(arrivals, error),
        };
        let (mut members, mut candidates) = (Vec::new(), Vec::new());
        let protocol = arrivals[0].settings.protocol;
        for arrival in arrivals {
            match catalog.find(&arrival.settings) {
                Ok(found) => {
                    candidates.push(RunCandidate {
                        identity: found.identity.clone(),
                        points: arrival.mark.points(found.completeness),
                    });
                    members.push(Some((arrival, found)));
                }
                Err(error) => arrival.answer(Err(error)),
            }
        }
        let is_late = self.ahead.is_some();
        let parts = parts(protocol, &candidates);
        let is_only = parts.len() == 1 && !is_late && !self.group.awaits_more();
        for part in parts {
            let RunPlan { members: places, start } = part;
            let part = places.iter().filter_map(|at| members[*at].take());
            let mut part: Vec<Participant> = part.collect();
            // Nobody starts a program for runs that were stopped while they waited.
            let present = part.iter().map(|(arrival, _)| arrival.index);
            let present = self.group.begin(&program, present);
            part.retain(|(arrival, _)| present.contains(&arrival.index));
            if part.is_empty() {
                continue;
            }
            if let Some(ahead) = &self.ahead {
                ahead.tell(&part, is_late, start.state.is_none());
            }
            let names = part.iter().map(|(arrival, _)| arrival.pipeline.clone());
            let names = names.collect();
            let last = self.run(&catalog, part, start, is_only, &context);
            self.group.finish();
            self.ahead.get_or_insert(EarlierRun { names, last });
        }
        self.catalog = Some(catalog);
    }

    /// Runs the program once for some of them, who may catch up with those that are ahead; the state that came
    /// last.
    fn run(
        &self,
        catalog: &Catalog,
        members: Vec<Participant>,
        start: ResumePoint,
        is_only: bool,
        context: &SourceContext,
    ) -> ResumePoint {
        let settings: Vec<&ProgramSettings> =
            members.iter().map(|(arrival, _)| &arrival.settings).collect();
        let started = match catalog.start(&settings, start.state.as_deref(), context) {
            Ok(started) => started,
            Err(error) => {
                refuse(members.into_iter().map(|(arrival, _)| arrival), error);
                return start;
            }
        };
        // All may have left meanwhile.
        if !self.group.has_readers() {
            return start;
        }
        let limit = members[0].0.max_record_bytes;
        let mut router = Router::new(started, &settings, limit, &context.remarks);
        let is_alone = members.len() == 1;
        let run = (!is_alone || !is_only).then(|| format!("{:016x}", fastrand::u64(..)));
        let has_begun = start.state.is_none();
        let mut senders = Vec::new();
        let mut identities = Vec::new();
        for (arrival, found) in members {
            let (group, index) = (Arc::clone(&self.group), arrival.index);
            let (sender, receiver) = queue(move || group.leave(index));
            let began = ProgramRun {
                run: run.clone(),
                earlier: match is_alone {
                    true => arrival.mark.meeting_point(),
                    false => Some(start.clone()),
                },
            };
            let mark = arrival.mark.clone();
            let stream =
                ProgramStream::new(receiver, &arrival.settings, mark, found.completeness, began);
            arrival.answer(Ok(stream));
            senders.push(Some(sender));
            identities.push(found.identity);
        }
        let mut last = start;
        let ended = send_all(&mut router, &mut senders, |text, number| {
            last = ResumePoint {
                place: run.clone().map(|run| StateId { run, number }),
                state: Some(text.to_owned()),
            };
        });
        // It ends by itself from here on.
        self.group.finish();
        // Unless they are those of pipelines that are late, or have left.
        if ended.is_ok() && identities.len() == self.group.members() {
            router.report_unread_streams();
        }
        for (index, sender) in senders.iter_mut().enumerate() {
            let Some(sender) = sender else { continue };
            let state = last.state.as_deref();
            let with = self.ahead.as_ref().map(|ahead| &ahead.last);
            let has_caught_up =
                |with: &&ResumePoint| has_caught_up(&identities[index], has_begun, state, with);
            sender.end(match &ended {
                Ok(()) => {
                    let whole = router.finish(index);
                    whole.map(|()| with.filter(has_caught_up).cloned())
                }
                Err(error) => Err(error.again()),
            });
        }
        last
    }
}

/// Sends each what is its own, to the end, or as long as somebody receives.
fn send_all(
    router: &mut Router,
    senders: &mut [Option<MessageSender>],
    mut on_state: impl FnMut(&str, u64),
) -> Result<()> {
    while senders.iter().any(Option::is_some) {
        // Before the program is waited for.
        if !router.has_more() {
            for sender in senders.iter_mut() {
                sender.take_if(|sender| !sender.flush());
            }
        }
        match router.next()? {
            Routed::Message(Recipient::One(at), message) => {
                senders[at].take_if(|sender| !sender.send(message));
            }
            Routed::Message(Recipient::All, StreamMessage::State { text, number }) => {
                on_state(&text, number.unwrap_or_default());
                for sender in senders.iter_mut() {
                    let text = text.clone();
                    sender.take_if(|sender| !sender.send(StreamMessage::State { text, number }));
                }
            }
            Routed::Message(Recipient::All, _) | Routed::Nothing => {}
            Routed::End => break,
        }
    }
    Ok(())
}

impl EarlierRun {
    /// Says to those that come behind why they are not with it.
    fn tell(&self, members: &[Participant], is_late: bool, begins: bool) {
        let others = self.names.join(", ");
        for (arrival, _) in members {
            let (name, program) = (&arrival.pipeline, &arrival.settings.program);
            arrival.context.remarks.add(match (is_late, begins) {
                (true, _) => format!(
                    "{name} could not begin when {others} did: `{program}` was run once more for it"
                ),
                (false, true) => format!(
                    "{name} begins at the start, and {others} go on from a state: `{program}` was run once more for it"
                ),
                (false, false) => format!(
                    "the state of {name} is of another run than that of {others}: `{program}` was run once more for it; \
                     to let them share a run again: sluice rewind {name} --to-start"
                ),
            });
        }
    }
}
