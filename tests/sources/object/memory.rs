//! However large the objects, only so much of them is in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pgsluice::error::Error;
use pgsluice::source::{Driver, KnownObjects, ListedUnit, ObjectState, Start};
use serde_json::json;

use super::support::*;
use crate::support::Store;
use crate::support::store::Fault;

/// What may be fetched before it is read.
const AHEAD: u64 = 32 << 20;

#[test]
fn no_more_is_fetched_ahead_than_allowed() {
    let store = Store::public();
    let content = large(24);
    let per_part = content.lines().count() / 24;
    store.put("in/a.ndjson", &content);
    store.put("in/b.ndjson", lines(0, 10));
    let asked = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&asked);
    // The first part is held until as much as is allowed was asked for.
    store.misbehave(move |request| {
        let range = request.range.as_ref()?;
        counter.fetch_add(range.end - range.start, Ordering::SeqCst);
        (range.start == 0).then_some(Fault::Hold)
    });
    let settings = store.settings("in/", json!({}));
    let mut source = open(&settings, vec![], rows(per_part)).unwrap();
    let (mut read, mut furthest) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            store.wait_until_held();
            let deadline = Instant::now() + Duration::from_secs(60);
            while asked.load(Ordering::SeqCst) < AHEAD && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            store.release();
            assert!(Instant::now() < deadline, "{asked:?} were asked for");
        });
        while let Some(batch) = source.next_batch().unwrap() {
            // What the batch holds was asked for before; what was asked for since may be ahead.
            read += batch.bytes;
            furthest = furthest.max(asked.load(Ordering::SeqCst).saturating_sub(read));
        }
    });
    assert_eq!(asked.load(Ordering::SeqCst), content.len() as u64);
    assert!(furthest <= AHEAD + PART as u64, "fetched ahead: {furthest}");
}

#[test]
fn several_objects_are_fetched_at_once_and_handed_over_in_order() {
    let store = Store::public();
    for i in 0..8 {
        store.put(&format!("in/{i}.ndjson"), lines(i, 1));
    }
    // The first object is held until the last one was asked for.
    store.misbehave(|asked| asked.key.ends_with("0.ndjson").then_some(Fault::Hold));
    let waiting = std::thread::scope(|scope| {
        let run = scope.spawn(|| store.run(json!({})));
        store.wait_until_held();
        let deadline = Instant::now() + Duration::from_secs(60);
        let seen = || store.asked().iter().any(|asked| asked.key.ends_with("7.ndjson"));
        while !seen() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let was_fetched_ahead = Instant::now() < deadline;
        store.release();
        (run.join().unwrap(), was_fetched_ahead)
    });
    let (outcome, was_fetched_ahead) = waiting;
    assert!(was_fetched_ahead);
    let outcome = outcome.ok();
    assert_eq!(numbers(&outcome.records), (0..8).collect::<Vec<_>>());
}

/// Says what it is asked, and how many names at once.
#[derive(Debug, Default)]
struct Asked {
    names: AtomicU64,
    most: AtomicU64,
}

#[async_trait]
impl KnownObjects for Asked {
    async fn news(
        &self,
        listed: &[ListedUnit],
    ) -> Result<Vec<(usize, Option<ObjectState>)>, Error> {
        let count = listed.len() as u64;
        self.names.fetch_add(count, Ordering::SeqCst);
        self.most.fetch_max(count, Ordering::SeqCst);
        Ok((0..listed.len()).map(|place| (place, None)).collect())
    }

    async fn begun(&self) -> Result<Vec<ObjectState>, Error> {
        Ok(Vec::new())
    }
}

/// What may be fetched ahead is 2,048 small objects; the keys of a page are held beside them.
#[test]
fn keys_are_listed_and_looked_up_as_they_are_needed() {
    const COUNT: usize = 9000;
    let store = Store::public();
    for i in 0..COUNT {
        store.put(&format!("in/{i:05}.ndjson"), lines(i, 1));
    }
    // Nothing is read before the first object comes.
    store.misbehave(|asked| asked.key.ends_with("00000.ndjson").then_some(Fault::Hold));
    let known = Arc::new(Asked::default());
    let start = Start { known: Arc::clone(&known) as Arc<dyn KnownObjects>, ..Start::default() };
    let settings = store.settings("in/", json!({}));
    let source = Driver::open(&settings, start, WIDE, &source_context(9));
    let is_listing = |asked: &crate::support::store::Asked| asked.is_listing();
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| drain(source, vec![]));
        store.wait_until_held();
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut asked = Vec::new();
        while asked.iter().filter(|asked| !is_listing(asked)).count() < 2048 {
            assert!(Instant::now() < deadline, "{} were asked for", asked.len());
            std::thread::sleep(Duration::from_millis(5));
            asked.extend(store.asked());
        }
        assert!(asked.iter().filter(|asked| is_listing(asked)).count() <= 4);
        assert!(known.names.load(Ordering::SeqCst) <= 4000);
        store.release();
        run.join().unwrap()
    });
    assert_eq!(outcome.ok().records.len(), COUNT);
    assert_eq!(known.names.load(Ordering::SeqCst), COUNT as u64);
    assert_eq!(known.most.load(Ordering::SeqCst), 1000);
}
