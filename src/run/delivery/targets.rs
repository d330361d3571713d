//! The targets of a pipeline, in an order that references between their rows allow: children that go leave first,
//! parents come before their children, and parents that go leave last, when no child refers to them any more.
//!
//! All of it is bounded by what was noted when it began, or a batch that commits meanwhile would send children whose
//! parents are not sent yet. Where a target cannot be sent, whatever may depend on it waits.

use super::{DeliveryOptions, look_up, note_all_rows, send_target};
use crate::batch::{Delivering, Operation, Route};
use crate::db::Connector;
use crate::error::{Error, Result};
use crate::report::DeliveryReport;
use crate::run::Stop;

/// Sends what is unsent of a pipeline, or of one of its targets alone; a report for each, in their order, which
/// carries the error if there was one.
pub async fn deliver(
    connector: &Connector,
    pipeline: &str,
    target: Option<&str>,
    options: &DeliveryOptions,
    stop: &Stop,
) -> Vec<DeliveryReport> {
    match send_in_order(connector, pipeline, target, options, stop).await {
        Ok(reports) => reports,
        Err(error) => vec![DeliveryReport::of_failure(pipeline, error)],
    }
}

/// Fails where it cannot be found out what there is to send.
async fn send_in_order(
    connector: &Connector,
    pipeline: &str,
    target: Option<&str>,
    options: &DeliveryOptions,
    stop: &Stop,
) -> Result<Vec<DeliveryReport>> {
    let look_up = || look_up(connector, pipeline, options, stop);
    let mut delivering = look_up().await?;
    let count = delivering.routes.len();
    if let Some(target) = target {
        delivering.routes.retain(|route| route.target == target);
        if delivering.routes.is_empty() {
            // The engine says what is wrong with it.
            delivering.routes.push(Route::all_of(pipeline, target, false));
        }
    }
    if options.all_rows {
        note_all_rows(connector, pipeline, &delivering.routes, options, stop).await?;
        delivering.latest = look_up().await?.latest;
    }
    if let [only] = &delivering.routes[..] {
        let route = Route { is_final: count < 2, ..only.clone() };
        return Ok(vec![send_target(connector, &route, options, stop).await]);
    }
    let mut sender = Targets {
        connector,
        options,
        stop,
        sent: delivering.routes.iter().map(|_| Sent::default()).collect(),
        delivering,
    };
    sender.send_all(false).await;
    if sender.sent.iter().any(Sent::has_put_off) && sender.failed().is_none() {
        // What refused them may be gone, or be what was superseded by a change noted meanwhile.
        match look_up().await {
            Ok(now) => sender.send_all(now.latest <= sender.delivering.latest).await,
            Err(error) => sender.fail(error),
        }
    }
    Ok(sender.reports())
}

struct Targets<'a> {
    connector: &'a Connector,
    options: &'a DeliveryOptions,
    stop: &'a Stop,
    delivering: Delivering,
    sent: Vec<Sent>,
}

/// What was sent of a target.
#[derive(Default)]
struct Sent {
    report: Option<DeliveryReport>,
    /// It waits for another one.
    is_held: bool,
}

impl Sent {
    fn has_put_off(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.put_off > 0)
    }

    fn error(&self) -> Option<&Error> {
        self.report.as_ref()?.error.as_ref()
    }
}

impl Targets<'_> {
    async fn send_all(&mut self, is_final: bool) {
        for report in self.sent.iter_mut().filter_map(|sent| sent.report.as_mut()) {
            report.put_off = 0;
        }
        let count = self.sent.len();
        for place in (1..count).rev() {
            self.send(place, Operation::Delete, is_final).await;
        }
        for place in 0..count {
            self.send(place, Operation::Upsert, is_final).await;
        }
        self.send(0, Operation::Delete, is_final).await;
    }

    async fn send(&mut self, place: usize, only: Operation, is_final: bool) {
        let depends_on = match only {
            Operation::Delete => &self.sent[place..],
            Operation::Upsert => &self.sent[..=place],
        };
        self.sent[place].is_held = depends_on.iter().any(|sent| sent.error().is_some());
        if self.sent[place].is_held || self.stop.is_requested() {
            return;
        }
        let route = Route {
            only: Some(only),
            up_to: Some(self.delivering.latest),
            is_final,
            ..self.delivering.routes[place].clone()
        };
        let report = send_target(self.connector, &route, self.options, self.stop).await;
        self.sent[place].report = Some(match self.sent[place].report.take() {
            Some(before) => report.after(&before),
            None => report,
        });
    }

    /// What was put off is not sent again, for this reason.
    fn fail(&mut self, error: Error) {
        let first = self.sent.iter_mut().find(|sent| sent.has_put_off());
        if let Some(report) = first.and_then(|sent| sent.report.as_mut()) {
            report.error = Some(error.detail("before rows that were put off were sent once more"));
        }
    }

    /// The first target that could not be sent.
    fn failed(&self) -> Option<usize> {
        self.sent.iter().position(|sent| sent.error().is_some())
    }

    fn reports(mut self) -> Vec<DeliveryReport> {
        if let Some(failed) = self.failed()
            && let Some(kind) = self.sent[failed].error().map(Error::kind)
        {
            let failed = &self.delivering.routes[failed].target;
            for (sent, route) in self.sent.iter_mut().zip(&self.delivering.routes) {
                let is_held = sent.is_held && sent.error().is_none();
                if let Some(report) = sent.report.as_mut()
                    && is_held
                    && report.waiting > 0
                {
                    let target = &route.target;
                    report.error = Some(Error::new(
                        kind,
                        format!(
                            "rows of {target} wait until those of {failed} can be sent, as they may refer to each other"
                        ),
                    ));
                }
            }
        }
        self.sent.into_iter().filter_map(|sent| sent.report).collect()
    }
}
