//! Holds a pipeline for one run, and takes it from a run that hangs.
//!
//! The guard is an advisory lock in a transaction of its own on a connection of its own: when the process dies, so
//! does the lock, and nobody has to clear a flag. The session sends a heartbeat every second, so that others can tell
//! a hung loader from a living one.

use super::job::{CLEAN_UP_TIMEOUT, Job};
use crate::batch::{self, Holder};
use crate::db::Session;
use crate::error::{Error, Kind, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often, and how long apart, the lock is tried while its holder goes away.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// A holder that still has it after this many tries is alive: the session of a loader that was just killed would be
/// gone by then.
const TRIES_FOR_THE_DEAD: u32 = 10;

pub(super) struct Guard {
    session: Arc<Session>,
    heartbeat: JoinHandle<()>,
}

impl Guard {
    /// Takes the pipeline, or says who holds it ([`Kind::Locked`]). `ours` are the sessions of earlier
    /// tries: one whose connection was lost may still hold the pipeline.
    pub(super) async fn take(job: &Job<'_>, ours: &Mutex<Vec<i32>>) -> Result<Self> {
        let session = job.connector.connect().await?;
        job.connector.while_alive(Self::hold(job, session, ours)).await?
    }

    async fn hold(job: &Job<'_>, session: Session, ours: &Mutex<Vec<i32>>) -> Result<Self> {
        let (pipeline, options) = (job.pipeline, job.options);
        crate::install::check_installed(&session).await?;
        let pid = batch::backend_pid(&session).await?;
        let ours = || ours.lock().unwrap_or_else(PoisonError::into_inner);
        ours().push(pid);
        let mut has_evicted = false;
        for tries in 1..=TRIES {
            batch::begin(&session).await?;
            if batch::hold_pipeline(&session, pipeline).await? {
                // Whoever is still in a batch has lost its guard: a stale loader.
                if !options.dry_run {
                    let evicted = batch::evict_loader(&session, pipeline, false).await?;
                    if evicted > 0 {
                        tracing::info!("ended {evicted} sessions a dead loader left behind");
                    }
                }
                return Ok(Self::keep(session));
            }
            session.batch_execute("rollback").await?;
            if !has_evicted && let Some(holder) = batch::holder(&session, pipeline).await? {
                let is_stale = holder.silent_seconds >= options.stale_after.as_secs_f64();
                if !options.takeover && !is_stale && !ours().contains(&holder.pid) {
                    if tries < TRIES_FOR_THE_DEAD {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    return Err(held(pipeline, &holder));
                }
                if batch::evict_loader(&session, pipeline, true).await? == 0 {
                    return Err(held(pipeline, &holder).detail(format!(
                        "its session belongs to role {}, which only that role or a superuser may end",
                        holder.username
                    )));
                }
                tracing::warn!(
                    "took pipeline {pipeline} over from process {} ({}), silent for {:.0} s",
                    holder.pid,
                    holder.application_name,
                    holder.silent_seconds
                );
                has_evicted = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(Error::new(
            Kind::Locked,
            format!("pipeline {pipeline} could not be taken over: its holder does not end"),
        )
        .next("look for it with: select * from sluice.pipeline_holder('...')"))
    }

    pub(super) fn keep(session: Session) -> Self {
        let session = Arc::new(session);
        let speaker = Arc::clone(&session);
        let heartbeat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                if speaker.batch_execute("select 1").await.is_err() {
                    // The fence protects the data; the run finds out there if it was deposed.
                    tracing::warn!(
                        "the connection that holds the pipeline was lost; going on, as the fence protects the data"
                    );
                    return;
                }
            }
        });
        Guard { session, heartbeat }
    }

    /// Lets go of the pipeline.
    pub(super) async fn release(self) {
        self.heartbeat.abort();
        // It may be gone already, and is released then; or the server is silent.
        let _ =
            tokio::time::timeout(CLEAN_UP_TIMEOUT, self.session.batch_execute("rollback")).await;
    }
}

/// A guard that is dropped ends its session, and with it the lock.
impl Drop for Guard {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

fn held(pipeline: &str, holder: &Holder) -> Error {
    Error::new(
        Kind::Locked,
        format!(
            "pipeline {pipeline} is held by another run: process {} ({}) of role {}, last heard {:.0} s ago",
            holder.pid, holder.application_name, holder.username, holder.silent_seconds
        ),
    )
    .next("wait until it ends, or run with --takeover: the other run is deposed and stops by itself")
}
