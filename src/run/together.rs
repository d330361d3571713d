//! Several pipelines that read one program: it is run once for all of them.

use super::{Options, Stop, run_pipeline};
use crate::db::Connector;
use crate::error::Result;
use crate::report::{Progress, Report};
use crate::source;
use futures_util::future::join_all;
use std::sync::Arc;

/// Runs them side by side, each as [`run_pipeline`] does; what they have in common is their source.
pub async fn run_together(
    pipelines: &[(&str, Connector)],
    options: &Options,
    stop: &Stop,
    progress: &Progress,
) -> Result<Vec<Report>> {
    let names: Vec<&str> = pipelines.iter().map(|(name, _)| *name).collect();
    let (members, _ends_with_runs) = source::share(&names)?;
    let workers = (options.workers / pipelines.len()).max(1);
    let part = progress.part();
    let runs = pipelines
        .iter()
        .zip(members)
        .map(|((name, connector), member)| {
            let (member, part) = (Arc::new(member), &part);
            let opening = Arc::clone(&member);
            let options = Options {
                // All that is held up by a worker is its own pipeline, and it is the program that is slow.
                workers,
                open_source: Arc::new(move |settings, start, means| {
                    opening.open(settings, &start, means)
                }),
                ..options.clone()
            };
            async move {
                let report = run_pipeline(connector, name, &options, stop, part).await;
                member.leave();
                report
            }
        });
    progress.start(None);
    let reports = join_all(runs).await;
    progress.finish();
    Ok(reports)
}
