//! What every source has to pass, whatever it reads.

use crate::sources::file::support::{Folder, Record, WIDE, records, rows};
use crate::support::workload::wait_until_no_loader;
use crate::support::{Api, Fault, Loader, Proxy, TestDb, Web, loader};
use pgsluice::source::{self, Source, Start};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A source with things to read, set up for one test.
trait Subject {
    /// The settings, as the pipeline keeps them.
    fn settings(&self) -> Value;

    /// The payloads it holds, in order.
    fn payloads(&self) -> Vec<String>;
}

/// The state that the database keeps of a source.
#[derive(Clone, Default)]
struct State(Start);

impl State {
    fn open(&self, settings: &Value, size: usize) -> Box<dyn Source> {
        source::open(settings, self.0.clone(), rows(size)).unwrap()
    }

    /// A batch is committed: its cursor and objects pass through text, as jsonb does.
    fn commit(&mut self, batch: &pgsluice::source::Batch) {
        let text = |value: &Value| serde_json::from_str(&value.to_string()).unwrap();
        self.0.cursor = Some(text(&batch.cursor));
        self.0.retries = 3;
        crate::sources::file::support::merge(&mut self.0.objects, &batch.objects);
    }
}

/// Everything of a first run, in one go.
fn read_all(settings: &Value, size: usize) -> Vec<Record> {
    let mut source = State::default().open(settings, size);
    let mut found = Vec::new();
    while let Some(batch) = source.next_batch().unwrap() {
        assert!(batch.rows <= size);
        found.extend(records(&batch));
    }
    found
}

fn digest(found: &[Record]) -> String {
    let mut digest = Sha256::new();
    for record in found {
        digest.update((record.payload.len() as u64).to_le_bytes());
        digest.update(&record.payload);
    }
    format!("{:x?}", digest.finalize())
}

fn reads_every_record_once_in_order(subject: &impl Subject) {
    let found = read_all(&subject.settings(), WIDE.rows);
    let payloads: Vec<String> = found
        .iter()
        .map(|r| String::from_utf8(r.payload.clone()).unwrap())
        .collect();
    assert_eq!(payloads, subject.payloads());
    assert!(payloads.len() >= 20);
}

fn gives_the_same_records_in_batches_of_any_size(subject: &impl Subject) {
    let settings = subject.settings();
    let whole = read_all(&settings, WIDE.rows);
    for size in 1..=whole.len() + 1 {
        let found = read_all(&settings, size);
        assert_eq!(digest(&found), digest(&whole), "by {size}");
        assert_eq!(found, whole, "by {size}");
    }
}

/// Every run ends after its first batch, so that the next one begins from every cursor that
/// the source ever gives.
fn resumes_from_every_cursor_it_returns(subject: &impl Subject) {
    let settings = subject.settings();
    let whole = read_all(&settings, WIDE.rows);
    for size in 1..=whole.len() + 1 {
        let mut state = State::default();
        let mut found: Vec<Record> = Vec::new();
        while found.len() < whole.len() {
            let batch = state.open(&settings, size).next_batch().unwrap();
            let batch = batch
                .unwrap_or_else(|| panic!("nothing more after {} records by {size}", found.len()));
            found.extend(records(&batch));
            state.commit(&batch);
        }
        assert_eq!(found, whole, "by {size}");
    }
}

/// The target tells how often a record was applied.
const WITNESS: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, payload text not null);
  create table shop.items_log (op text, id bigint);
  create function shop.log_item() returns trigger language plpgsql as $$
  begin insert into shop.items_log values (tg_op, new.id); return null; end $$;
  create trigger items_log after insert or update or delete on shop.items for each row execute function shop.log_item();
  create function shop.items_v1(doc jsonb) returns table (id bigint, payload text)
  language sql stable as $$ select (doc->>'id')::bigint, doc::text $$;";

async fn define(subject: &impl Subject) -> TestDb {
    let db = TestDb::new().await;
    db.execute(WITNESS).await;
    let source = subject.settings().to_string().replace('\'', "''");
    db.execute(&format!(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{{id}}', source => '{source}')"
    ))
    .await;
    db
}

/// The loader is killed with every commit it sends, before and after it arrives.
async fn survives_kill_9_at_every_batch(subject: &impl Subject) {
    const ARGS: &str = "items --batch-rows 7 --workers 2";
    let expected = subject.payloads().len();
    for fault in [Fault::KillBefore, Fault::KillAfter] {
        let db = define(subject).await;
        let mut fired = 0;
        // Killed before its commit, a loader gets nowhere: every other one is let through.
        for round in 0.. {
            assert!(round < 10 * expected, "{fault:?} no end");
            let spare = round % 2;
            let mut commits = 0;
            let proxy = Proxy::new(&db, move |message| {
                commits += usize::from(message.commits());
                (message.commits() && commits > spare).then_some(fault)
            });
            let done = Loader::start_through(&proxy, &db, ARGS).wait();
            fired += proxy.fired();
            wait_until_no_loader(&db).await;
            if db.value("select count(*) from shop.items").await == expected.to_string() {
                break;
            }
            assert_eq!(done.code, None, "{fault:?}: killed");
        }
        assert!(fired >= expected / 14, "{fault:?}: {fired} kills");
        loader::rerun(&db, ARGS).exits(0);
        let log = db
            .rows("select op, count(*), count(distinct id) from shop.items_log group by op")
            .await;
        assert_eq!(
            log,
            [format!("INSERT|{expected}|{expected}")],
            "{fault:?}: each record once"
        );
        assert_eq!(
            db.rows("select * from sluice.verify() where not is_ok")
                .await,
            Vec::<String>::new(),
            "{fault:?}"
        );
    }
}

/// A folder with the records in files of every format.
struct Files {
    folder: Folder,
    count: usize,
}

fn item(i: usize) -> String {
    format!(
        "{{\"id\":{i},\"amount\":{}.50,\"name\":\"n]}}\\\"{i}\"}}",
        i * 7
    )
}

impl Files {
    fn ndjson_and_json() -> Self {
        let folder = Folder::new();
        let all: Vec<String> = (0..45).map(item).collect();
        folder.write("1.ndjson", all[..20].join("\n") + "\n");
        folder.write("2.json", format!("[{}]", all[20..33].join(" ,\n")));
        folder.write(
            "3.ndjson.gz",
            crate::sources::file::support::gzip((all[33..].join("\n") + "\n").as_bytes()),
        );
        Files { folder, count: 45 }
    }
}

impl Subject for Files {
    fn settings(&self) -> Value {
        self.folder.settings("", json!({}))
    }

    fn payloads(&self) -> Vec<String> {
        (0..self.count).map(item).collect()
    }
}

/// An API with the records, under one paging model.
struct Http {
    web: Web,
    api: Arc<Api>,
    path: &'static str,
    prefetch: usize,
}

impl Http {
    fn on(path: &'static str) -> Self {
        let api = Arc::new(Api {
            records: (0..45).map(item).collect(),
            ..Api::orders(0, 10)
        });
        let shared = Arc::clone(&api);
        Http {
            web: Web::serve(move |request| shared.answer(request)),
            api,
            path,
            prefetch: 3,
        }
    }
}

impl Subject for Http {
    fn settings(&self) -> Value {
        let mut settings = self.api.source(&self.web.url, self.path);
        settings["prefetch"] = json!(self.prefetch);
        settings
    }

    fn payloads(&self) -> Vec<String> {
        self.api.records.clone()
    }
}

/// One module of tests for each source under test.
macro_rules! conformance {
    ($($name:ident: $subject:expr,)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn reads_every_record_once_in_order() {
                super::reads_every_record_once_in_order(&$subject);
            }

            #[test]
            fn gives_the_same_records_in_batches_of_any_size() {
                super::gives_the_same_records_in_batches_of_any_size(&$subject);
            }

            #[test]
            fn resumes_from_every_cursor_it_returns() {
                super::resumes_from_every_cursor_it_returns(&$subject);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn survives_kill_9_at_every_batch() {
                super::survives_kill_9_at_every_batch(&$subject).await;
            }
        }
    )*};
}

conformance! {
    files: Files::ndjson_and_json(),
    http_without_paging: Http::on("/all"),
    http_page_number: Http::on("/page"),
    http_offset: Http::on("/offset"),
    http_cursor: Http::on("/cursor"),
    http_cursor_in_header: Http::on("/cursor-header"),
    http_cursor_in_body: Http::on("/search"),
    http_next_link: Http::on("/links"),
    http_link_header: Http::on("/link-header"),
}
