//! One run of a program for several pipelines, each of which reads a stream of it.
//!
//! Each pipeline has its run as if it were alone, up to where it opens its source. There it waits for the
//! others: only when all have come, or have ended before, can be said from where the program has to
//! begin (`ground.rs`). A thread hears the program and tells each of them what is its own. One that
//! fails leaves, and its records pass by; the next run begins where it needs them.

mod company;
mod telling;

use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

use serde_json::Value;

use self::company::Company;
use super::dialogue::Dialogue;
use super::mark::Mark;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::children::{Children, EndWithRun};
use crate::source::{Means, Source, Start};

/// One of the pipelines that share a program.
pub(crate) struct Member {
    index: usize,
    pipeline: String,
    news: Sender<News>,
}

enum News {
    Came(Box<Guest>),
    Left(usize),
}

/// A pipeline whose source is to be opened.
struct Guest {
    index: usize,
    pipeline: String,
    settings: Settings,
    max_record_bytes: usize,
    mark: Mark,
    means: Means,
    answer: SyncSender<Result<Dialogue>>,
}

/// Members for these pipelines, and what ends their program when it is dropped.
pub(crate) fn share(pipelines: &[&str]) -> Result<(Vec<Member>, EndWithRun)> {
    let (news, coming) = channel();
    let children = Children::default();
    let company = Company::of(pipelines.len(), coming, children.clone());
    let members = pipelines
        .iter()
        .enumerate()
        .map(|(index, pipeline)| Member {
            index,
            pipeline: (*pipeline).to_owned(),
            news: news.clone(),
        });
    let members = members.collect();
    thread::Builder::new()
        .name("program".to_owned())
        .spawn(move || company.meet())
        .map_err(|cause| {
            Error::failed("the thread that hears the program cannot be started").caused_by(cause)
        })?;
    Ok((members, EndWithRun(children)))
}

impl Member {
    /// Opens the source of its pipeline, when all members have come.
    pub(crate) fn open(
        &self,
        settings: &Value,
        start: &Start,
        means: &Means,
    ) -> Result<Box<dyn Source>> {
        let (settings, records) = Settings::parse(settings)?;
        let (answer, opened) = sync_channel(1);
        let guest = Guest {
            index: self.index,
            pipeline: self.pipeline.clone(),
            mark: Mark::of(start.cursor.as_ref(), &settings.stream),
            settings,
            max_record_bytes: records.max_record_bytes,
            means: means.clone(),
            answer,
        };
        let lost = || {
            Error::failed("the shared program was given up before it was started")
                .next("this is a fault of sluice: please report what it printed above")
        };
        let came = self.news.send(News::Came(Box::new(guest)));
        came.map_err(|_| lost())?;
        let dialogue = opened.recv().map_err(|_| lost())??;
        Ok(Box::new(dialogue))
    }

    /// Its run is over.
    pub(crate) fn leave(&self) {
        // Nobody may be there any more to be told.
        let _ = self.news.send(News::Left(self.index));
    }
}

impl Guest {
    fn answer(&self, answer: Result<Dialogue>) {
        // Its run may be over.
        let _ = self.answer.send(answer);
    }
}

fn refuse(guests: &[Guest], error: &Error) {
    for guest in guests {
        guest.answer(Err(error.again()));
    }
}
