//! The loader with a source made up by the test: order, failures of the source, limits.

mod activation;
mod pipe;
mod rows;

use crate::sources::support::records;
use crate::support::TestDb;
use pgsluice::error::{Error, Result};
use pgsluice::report::Report;
use pgsluice::run::{Options, Stop, run_pipeline};
use pgsluice::source::{Batch, BatchBuilder, BatchLimits, ObjectState, Progress, Proof, Source};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

const PIPELINE: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, name text not null);
  create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
  select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => 'made up by the test'));";

/// Yields what is in the given batches, each for itself, then the error if there is one.
struct FakeSource {
    batches: VecDeque<Batch>,
    error: Option<Error>,
    cursor: Option<Value>,
}

impl Source for FakeSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let Some(batch) = self.batches.pop_front() else {
            let end = Ok(Progress::End(Proof::Complete));
            return self.error.take().map_or(end, Err);
        };
        out.set_origin("fake");
        for record in records(&batch) {
            out.push(record.position, &record.payload);
        }
        for object in batch.objects {
            out.note_object(object);
        }
        self.cursor = Some(batch.cursor);
        Ok(Progress::Full)
    }

    fn cursor(&self) -> Option<Value> {
        self.cursor.clone()
    }
}

/// Batch `number` of ten records, the ids following those of the batch before.
fn batch(number: i64, name: &str) -> Batch {
    let mut builder = BatchBuilder::new(BatchLimits { digests: false, rows: 10, bytes: 1 << 20 });
    builder.set_origin("fake");
    for id in number * 10..(number + 1) * 10 {
        builder.push(id, format!(r#"{{"id":{id},"name":"{name}"}}"#).as_bytes());
    }
    builder.note_object(ObjectState {
        object: "fake".to_owned(),
        identity: json!({}),
        position: json!({"records": (number + 1) * 10}),
        is_done: false,
    });
    builder.finish(json!({"records": (number + 1) * 10}))
}

async fn run(db: &TestDb, batches: Vec<Batch>, error: Option<Error>, options: Options) -> Report {
    let source =
        Arc::new(Mutex::new(Some(FakeSource { batches: batches.into(), error, cursor: None })));
    let options = Options {
        open_source: Arc::new(move |_, _, context| {
            context.remarks.add("a remark");
            let source = source.lock().unwrap().take().expect("opened once");
            Ok(Box::new(source) as Box<dyn Source>)
        }),
        ..options
    };
    run_pipeline(
        &db.connector(),
        "items",
        &options,
        &Stop::never(),
        &pgsluice::report::ProgressDisplay::hidden(),
    )
    .await
}

async fn items_db() -> TestDb {
    let db = TestDb::new().await;
    db.execute(PIPELINE).await;
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_commit_in_the_order_they_were_read_whatever_worker_is_first() {
    let db = items_db().await;
    // The first batch is held up in the transform, while the others are ready.
    db.execute(
        "create or replace function shop.items_v1(doc jsonb) returns table (id bigint, name text)
         language plpgsql as $$ begin
           if doc->>'id' = '0' then perform pg_advisory_xact_lock(42); end if;
           return query select (doc->>'id')::bigint, doc->>'name';
         end $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'made up by the test'));",
    )
    .await;
    let gate = db.connect().await;
    gate.batch_execute("begin; select pg_advisory_xact_lock(42)").await.unwrap();
    let running = run(
        &db,
        (0..8).map(|n| batch(n, "a")).collect(),
        None,
        Options { workers: 4, ..Options::default() },
    );
    let opener = async {
        // All other workers have staged their batch and wait for the first.
        loop {
            let waiting = db
                .value("select count(*) from pg_stat_activity where application_name like 'sluice items run % batch %' and state = 'idle in transaction'")
                .await;
            if waiting == "3" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(db.value("select count(*) from shop.items").await, "0");
        gate.batch_execute("commit").await.unwrap();
    };
    let (report, ()) = tokio::join!(running, opener);
    assert_eq!(report.outcome(), "ok", "{:?}", report.error);
    assert_eq!(report.counters.inserted, 80);
    assert_eq!(report.batches, 8);
    let cursors = db
        .value("select string_agg(cursor_after->>'records', ',' order by batch_seq) from sluice.batches")
        .await;
    assert_eq!(cursors, "10,20,30,40,50,60,70,80");
    assert_eq!(db.value("select bool_and(is_ok) from sluice.verify()").await, "t");
    assert_eq!(db.value("select position->>'records' from sluice.source_objects").await, "80");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_ends_the_run_after_what_it_read_is_committed() {
    let db = items_db().await;
    let report = run(
        &db,
        (0..5).map(|n| batch(n, "a")).collect(),
        Some(Error::failed("the disk is on fire")),
        Options::default(),
    )
    .await;
    assert_eq!(report.outcome(), "failed");
    assert_eq!(report.error.as_ref().unwrap().message(), "the disk is on fire");
    assert_eq!(report.counters.inserted, 50);
    assert_eq!(db.value("select count(*) from shop.items").await, "50");
    assert_eq!(
        db.rows("select r.outcome, error, written from sluice.runs r join sluice.recent_runs on run = run_id")
            .await,
        ["failed|the disk is on fire|50"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_batch_in_the_middle_stops_the_run_behind_the_batches_before_it() {
    let db = items_db().await;
    let mut batches: Vec<Batch> = (0..6).map(|n| batch(n, "a")).collect();
    // All of batch 3 is bad, which is more than the pipeline allows.
    let mut builder = BatchBuilder::new(BatchLimits { digests: false, rows: 200, bytes: 1 << 20 });
    builder.set_origin("fake");
    for position in 0..100 {
        builder.push(position, b"{\"id\": \"no number\"}");
    }
    batches[3] = builder.finish(json!({"records": 40}));
    let report = run(&db, batches, None, Options { workers: 3, ..Options::default() }).await;
    assert_eq!(report.outcome(), "threshold");
    assert_eq!(report.exit_code(), 3);
    assert_eq!(report.counters.inserted, 30);
    assert_eq!(db.value("select count(*), max(id) from shop.items").await, "30|29");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    assert_eq!(db.value("select cursor->>'records' from sluice.etl_state").await, "30");
    let error = report.error.unwrap().to_string();
    assert!(
        error.contains(
            "pipeline \"items\" stopped at batch 4: 76.9% of records are bad (limit 10%)"
        ),
        "{error}"
    );
    assert!(error.contains("most:  100 × 22P02"), "{error}");
}

/// A source with a fault of its own in it.
struct Panics;

impl Source for Panics {
    fn read(&mut self, _: &mut BatchBuilder) -> Result<Progress> {
        panic!("on purpose")
    }

    fn cursor(&self) -> Option<Value> {
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_breaks_down_is_not_taken_for_the_end_of_the_source() {
    let db = items_db().await;
    let options = Options {
        open_source: Arc::new(|_, _, _| Ok(Box::new(Panics) as Box<dyn Source>)),
        ..Options::default()
    };
    let report = run_pipeline(
        &db.connector(),
        "items",
        &options,
        &Stop::never(),
        &pgsluice::report::ProgressDisplay::hidden(),
    )
    .await;
    assert_eq!((report.outcome(), report.exit_code()), ("failed", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn max_batches_ends_the_run_in_good_order() {
    let db = items_db().await;
    let options = Options { max_batches: Some(2), ..Options::default() };
    let report = run(&db, (0..5).map(|n| batch(n, "a")).collect(), None, options).await;
    assert_eq!((report.outcome(), report.batches), ("ok", 2));
    assert_eq!(db.value("select count(*) from shop.items").await, "20");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reports_like_a_run_and_leaves_nothing() {
    let db = items_db().await;
    run(&db, vec![batch(0, "a")], None, Options::default()).await;
    let before = db.rows("select * from sluice.etl_state").await;
    let options = Options { dry_run: true, ..Options::default() };
    let report = run(&db, vec![batch(0, "b"), batch(0, "c"), batch(1, "c")], None, options).await;
    assert_eq!(report.outcome(), "ok", "{:?}", report.error);
    assert_eq!(report.counters.updated, 20);
    assert_eq!(report.counters.inserted, 10);
    assert_eq!(report.remarks, ["a remark"]);
    assert_eq!(db.rows("select * from sluice.etl_state").await, before);
    assert_eq!(db.value("select count(*), min(name) from shop.items").await, "10|a");
    assert_eq!(db.value("select count(*) from sluice.runs").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_records_still_moves_its_objects() {
    let db = items_db().await;
    let mut builder = BatchBuilder::new(BatchLimits { digests: false, rows: 10, bytes: 100 });
    builder.note_object(ObjectState {
        object: "empty".to_owned(),
        identity: json!({"size": 0}),
        position: json!({}),
        is_done: true,
    });
    let report =
        run(&db, vec![builder.finish(json!({"object": "empty"}))], None, Options::default()).await;
    assert_eq!((report.outcome(), report.batches), ("ok", 1));
    assert_eq!(db.rows("select object, is_done from sluice.source_objects").await, ["empty|t"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_pipeline_is_a_definition_error_that_names_the_known_ones() {
    let db = items_db().await;
    let report = run_pipeline(
        &db.connector(),
        "itens",
        &Options::default(),
        &Stop::never(),
        &pgsluice::report::ProgressDisplay::hidden(),
    )
    .await;
    assert_eq!(report.exit_code(), 2);
    let error = report.error.unwrap();
    assert_eq!(error.message(), "pipeline itens is not defined");
    assert_eq!(error.next_step(), Some("defined are: items"));
}
