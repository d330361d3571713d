//! What every source has to pass, whatever it reads.

#[cfg(feature = "mysql")]
use crate::sources::database::mariadb::Maria;
use crate::sources::database::support::Shop;
use crate::sources::file::support::{Folder, Record, WIDE, gzip, records, rows, source_context};
use crate::sources::program::support::Script;
use crate::support::sluice::Done;
use crate::support::web::Answer;
use crate::support::workload::wait_until_no_loader;
use crate::support::{Api, Fault, Loader, Proxy, Sluice, Store, TestDb, Web, loader};
use pgsluice::source::{Driver, ObjectState, Snapshot, Start};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::sync::Arc;

/// A source with things to read, set up for one test.
trait Subject {
    /// The settings, as the pipeline keeps them.
    fn settings(&self) -> Value;

    /// The payloads it holds, in order.
    fn payloads(&self) -> Vec<String>;

    /// The settings of another one of its kind, of `count` records of [`LONG`] bytes.
    fn large(&self, count: usize) -> Value;

    /// Whether what it needs is on this machine.
    fn is_there(&self) -> bool {
        true
    }

    /// What a loader may take for what is fetched ahead, on top of [`MEMORY_KIB`].
    fn ahead_kib(&self) -> u64 {
        0
    }
}

/// The size of a record of a large source.
const LONG: usize = 512 * 1024;
/// What a loader may take, however large its source.
const MEMORY_KIB: u64 = 48 * 1024;

fn long_item(i: usize, pad: &str) -> String {
    format!("{{\"id\":{i},\"pad\":\"{pad}\"}}")
}

/// The state that the database keeps of a source.
#[derive(Clone, Default)]
struct State {
    cursor: Option<Value>,
    objects: Vec<ObjectState>,
}

impl State {
    fn open(&self, settings: &Value, size: usize) -> Driver {
        let start = Start {
            cursor: self.cursor.clone(),
            known: Arc::new(self.objects.clone()),
            ..Start::default()
        };
        Driver::open(settings, start, rows(size), &source_context(3)).unwrap()
    }

    /// A batch is committed: its cursor and objects pass through text, as jsonb does.
    fn commit(&mut self, batch: &pgsluice::source::Batch) {
        let text = |value: &Value| serde_json::from_str(&value.to_string()).unwrap();
        self.cursor = Some(text(&batch.cursor));
        crate::sources::file::support::merge(&mut self.objects, &batch.objects);
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
    let payloads: Vec<String> =
        found.iter().map(|r| String::from_utf8(r.payload.clone()).unwrap()).collect();
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

/// A row that was not brought is taken for gone: "complete" must not be said too early, and a
/// read that is gone on with must not forget what it brought before.
fn says_that_it_is_complete_behind_the_last_record(subject: &impl Subject) {
    let settings = subject.settings();
    let total = read_all(&settings, WIDE.rows).len();
    for size in [1, 3, total - 1, total] {
        let mut state = State::default();
        let mut found = 0;
        // Broken off after the first batch, unless that is all, and read to the end.
        let runs: &[usize] = match size < total {
            true => &[1, usize::MAX],
            false => &[usize::MAX],
        };
        for batches in runs {
            let mut source = state.open(&settings, size);
            for _ in 0..*batches {
                assert!(found == total || !source.is_complete(), "by {size} at {found}");
                let Some(batch) = source.next_batch().unwrap() else {
                    assert!(source.is_complete(), "by {size}");
                    break;
                };
                assert!(batch.snapshot != Snapshot::Begin || found == 0, "by {size} at {found}");
                assert_eq!(batch.spoilt_by, None);
                found += batch.rows;
                state.commit(&batch);
            }
        }
        assert_eq!(found, total);
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
        assert_eq!(log, [format!("INSERT|{expected}|{expected}")], "{fault:?}: each record once");
        assert_eq!(
            db.rows("select * from sluice.verify() where not is_ok").await,
            Vec::<String>::new(),
            "{fault:?}"
        );
    }
}

/// Memory does not grow with the source. The transform drops every record, so that the
/// server has little to do with them.
async fn takes_no_more_memory_than_its_bounds(subject: &impl Subject) {
    let db = TestDb::new().await;
    db.execute(WITNESS).await;
    let bound = MEMORY_KIB + subject.ahead_kib();
    // More than twice as much as may be in memory.
    let count = 2 * bound as usize * 1024 / LONG + 8;
    let source = subject.large(count).to_string().replace('\'', "''");
    db.execute(&format!(
        "create function shop.none_v1(doc jsonb) returns table (id bigint, payload text) language sql stable as $$ select 1, 'x' where false $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.none_v1', target => 'shop.items', key => '{{id}}', source => '{source}')"
    ))
    .await;
    let mut loader = Sluice::on(&db)
        .args(["run", "items", "--batch-bytes", "1000000", "--workers", "1"])
        .spawn();
    let status = format!("/proc/{}/status", loader.id());
    let mut peak = 0;
    while loader.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        // What it takes for itself: how much of its code has been read does not depend on the source.
        let line = status.lines().find(|line| line.starts_with("RssAnon"));
        let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = now.unwrap_or(peak).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let done = Done::of(loader.wait_with_output().unwrap()).exits(0);
    assert_eq!(done.summary().count("filtered"), count as i64);
    assert!(peak > 5 * 1024, "measured {peak} KiB");
    assert!(peak < bound, "{peak} KiB");
}

/// A folder with the records in files of every format.
struct Files {
    folder: Folder,
    count: usize,
}

fn item(i: usize) -> String {
    format!("{{\"id\":{i},\"amount\":{}.50,\"name\":\"n]}}\\\"{i}\"}}", i * 7)
}

impl Files {
    fn ndjson_and_json() -> Self {
        let folder = Folder::new();
        let all: Vec<String> = (0..45).map(item).collect();
        folder.write("1.ndjson", all[..20].join("\n") + "\n");
        folder.write("2.json", format!("[{}]", all[20..33].join(" ,\n")));
        folder.write("3.ndjson.gz", gzip((all[33..].join("\n") + "\n").as_bytes()));
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

    fn large(&self, count: usize) -> Value {
        let file = std::fs::File::create(self.folder.path("large.ndjson")).unwrap();
        let mut file = std::io::BufWriter::new(file);
        for i in 0..count {
            writeln!(file, "{}", long_item(i, &"p".repeat(LONG))).unwrap();
        }
        file.flush().unwrap();
        self.folder.settings("large.ndjson", json!({}))
    }
}

/// A bucket with the records in several objects, listed in more than one page.
struct Objects {
    store: Store,
}

impl Objects {
    fn ndjson() -> Self {
        Self::of("ndjson", <[u8]>::to_vec)
    }

    fn gzipped() -> Self {
        Self::of("ndjson.gz", gzip)
    }

    fn of(suffix: &'static str, encode: fn(&[u8]) -> Vec<u8>) -> Self {
        let store = Store::public();
        store.page(2);
        // The last line of the last object has no end; one in between has no records.
        for (i, range) in [0..20, 20..21, 21..21, 21..38, 38..45].into_iter().enumerate() {
            let content = range.map(item).collect::<Vec<_>>().join("\n");
            let end = match i == 4 || content.is_empty() {
                true => "",
                false => "\n",
            };
            let content = encode((content + end).as_bytes());
            store.put(&format!("in/{i}.{suffix}"), content);
        }
        Objects { store }
    }
}

impl Subject for Objects {
    fn settings(&self) -> Value {
        self.store.settings("in/", json!({}))
    }

    fn payloads(&self) -> Vec<String> {
        (0..45).map(item).collect()
    }

    fn large(&self, count: usize) -> Value {
        let pad = "p".repeat(LONG);
        let content: String = (0..count).map(|i| long_item(i, &pad) + "\n").collect();
        self.store.put("large/large.ndjson", content);
        self.store.settings("large/", json!({}))
    }

    /// 32 MiB, and half as much again for connections and what the allocator keeps.
    fn ahead_kib(&self) -> u64 {
        48 * 1024
    }
}

/// A database with the records in a table.
struct Tables {
    shop: Shop,
    /// Records with their cursor, which many share and some do not have.
    with_cursor: bool,
}

impl Tables {
    fn new(with_cursor: bool) -> Self {
        let shop = Shop::new(
            "create table items (id int primary key, amount numeric(10,2), name text);
             insert into items select i, i * 7 + 0.50, 'n]}\"' || i from generate_series(0, 44) i",
        );
        Tables { shop, with_cursor }
    }
}

impl Subject for Tables {
    fn settings(&self) -> Value {
        self.shop.settings(match self.with_cursor {
            false => json!({"table": "items"}),
            true => json!({"query": "select *, nullif(id / 4, 0) as at from items", "key": ["id"], "cursor": "at"}),
        })
    }

    fn payloads(&self) -> Vec<String> {
        let at = |i: usize| match i / 4 {
            0 => ",\"at\":null}".to_owned(),
            at => format!(",\"at\":{at}}}"),
        };
        let with_at = |i| item(i).strip_suffix('}').unwrap().to_owned() + &at(i);
        match self.with_cursor {
            false => (0..45).map(item).collect(),
            true => (0..45).map(with_at).collect(),
        }
    }

    fn large(&self, count: usize) -> Value {
        let query = format!(
            "select i as id, repeat('p', {LONG}) as pad from generate_series(1, {count}) i"
        );
        self.shop.settings(json!({"query": query, "key": ["id"]}))
    }

    /// 16 MiB that wait to be read, and half as much again for what the allocator keeps.
    fn ahead_kib(&self) -> u64 {
        24 * 1024
    }
}

/// A MariaDB with the records in a table, where there is one.
#[cfg(feature = "mysql")]
struct Mysql(Option<Maria>);

#[cfg(feature = "mysql")]
impl Mysql {
    fn new() -> Self {
        Mysql(Maria::new(
            "create table items (id int primary key, amount decimal(10,2), name text);
             insert into items select seq, seq * 7 + 0.50, concat('n]}\"', seq) from seq_0_to_44",
        ))
    }
}

#[cfg(feature = "mysql")]
impl Subject for Mysql {
    fn is_there(&self) -> bool {
        self.0.is_some()
    }

    fn settings(&self) -> Value {
        self.0.as_ref().unwrap().settings(json!({"table": "items"}))
    }

    fn payloads(&self) -> Vec<String> {
        (0..45).map(item).collect()
    }

    fn large(&self, _: usize) -> Value {
        unreachable!("memory is measured with another database")
    }
}

/// A SQLite file with the records in a table.
#[cfg(feature = "sqlite")]
struct Sqlite(Folder);

#[cfg(feature = "sqlite")]
impl Sqlite {
    fn new() -> Self {
        let folder = Folder::new();
        rusqlite::Connection::open(folder.path("app.db"))
            .unwrap()
            .execute_batch(
                "create table items (id integer primary key, amount real, name text);
                 with recursive n (i) as (select 0 union all select i + 1 from n where i < 44)
                 insert into items select i, i * 7 + 0.5, 'n]}\"' || i from n",
            )
            .unwrap();
        Sqlite(folder)
    }
}

#[cfg(feature = "sqlite")]
impl Subject for Sqlite {
    fn settings(&self) -> Value {
        json!({"kind": "sqlite", "path": self.0.name("app.db"), "table": "items"})
    }

    fn payloads(&self) -> Vec<String> {
        (0..45).map(|i| item(i).replace(".50,", ".5,")).collect()
    }

    fn large(&self, _: usize) -> Value {
        unreachable!("memory is measured with another database")
    }
}

/// The records as Parquet, in row groups that end in the middle of batches.
#[cfg(feature = "parquet")]
mod parquet {
    use super::*;
    use crate::sources::parquet::support::{file, items};
    use ::parquet::basic::Compression;
    use arrow_array::{ArrayRef, Int64Array, StringArray};

    pub(super) struct Files(Folder);

    pub(super) struct Objects(Store);

    impl Files {
        pub(super) fn new() -> Self {
            let folder = Folder::new();
            folder.write("1.parquet", items(0..20, 7));
            folder.write("2.parquet", items(20..33, 13));
            folder.write("3.parquet", items(33..45, 100));
            Files(folder)
        }
    }

    impl Objects {
        pub(super) fn new() -> Self {
            let store = Store::public();
            store.put("in/1.parquet", items(0..30, 7));
            store.put("in/2", items(30..45, 2));
            Objects(store)
        }
    }

    fn large(count: usize) -> Vec<u8> {
        let pad = "p".repeat(LONG);
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count as i64));
        let pads: ArrayRef = Arc::new(StringArray::from_iter_values((0..count).map(|i| {
            // None is like another: they are to be there, each for itself.
            format!("{i}{}", &pad[i.to_string().len()..])
        })));
        file(vec![("id", ids), ("pad", pads)], 64, Compression::UNCOMPRESSED)
    }

    impl Subject for Files {
        fn settings(&self) -> Value {
            self.0.settings("", json!({}))
        }

        fn payloads(&self) -> Vec<String> {
            (0..45).map(item).collect()
        }

        fn large(&self, count: usize) -> Value {
            self.0.write("large.parquet", large(count));
            self.0.settings("large.parquet", json!({}))
        }

        /// What is kept of the file, and the rows that are decoded at once.
        fn ahead_kib(&self) -> u64 {
            56 * 1024
        }
    }

    impl Subject for Objects {
        fn settings(&self) -> Value {
            self.0.settings("in/", json!({}))
        }

        fn payloads(&self) -> Vec<String> {
            (0..45).map(item).collect()
        }

        fn large(&self, count: usize) -> Value {
            self.0.put("large/large.parquet", large(count));
            self.0.settings("large/", json!({}))
        }

        fn ahead_kib(&self) -> u64 {
            64 * 1024
        }
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
        let api = Arc::new(Api { records: (0..45).map(item).collect(), ..Api::orders(0, 10) });
        let shared = Arc::clone(&api);
        Http { web: Web::serve(move |request| shared.answer(request)), api, path, prefetch: 3 }
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

    fn large(&self, count: usize) -> Value {
        // Pages of a megabyte, made when they are asked for.
        let api = Api {
            records: (0..count).map(|i| long_item(i, "@")).collect(),
            size: 2,
            ..Api::orders(0, 2)
        };
        let web = Web::serve(move |request| {
            let answer = api.answer(request);
            let body = String::from_utf8(answer.body).unwrap();
            Answer { body: body.replace('@', &"p".repeat(LONG)).into(), ..answer }
        });
        let mut settings = self.api.source(&web.url, self.path);
        settings["prefetch"] = json!(self.prefetch);
        settings
    }
}

/// A tap or connector, made of a few lines of awk.
struct Program {
    script: Script,
}

/// Prints the lines behind the one that the state names, each as a message, and a state behind each
/// of them.
const PRINT: &str = r#"
from=$(printf %s "$state" | sed 's/.*"at":\([0-9]*\).*/\1/')
awk -v from="${from:-0}" -v before="$BEFORE" -v after="$AFTER" -v state="$STATE" -v end="$END" '
  NR > from { print before $0 after; print state NR end }' items.ndjson
"#;

impl Program {
    fn singer() -> Self {
        Self::of(
            "singer",
            r#"BEFORE='{"type":"RECORD","stream":"items","record":'
AFTER='}'
STATE='{"type":"STATE","value":{"at":'
END='}}'
"#,
        )
    }

    fn airbyte() -> Self {
        Self::of(
            "airbyte",
            r#"if [ $command = discover ]; then
  echo '{"type":"CATALOG","catalog":{"streams":[{"name":"items","supported_sync_modes":["full_refresh"]}]}}'; exit
fi
BEFORE='{"type":"RECORD","record":{"stream":"items","data":'
AFTER='}}'
STATE='{"type":"STATE","state":{"type":"STREAM","sourceStats":{"recordCount":1.0},"stream":{"stream_descriptor":{"name":"items"},"stream_state":{"at":'
END='}}}}'
"#,
        )
    }

    fn of(protocol: &'static str, messages: &str) -> Self {
        let script = Script::of(protocol, &format!("{messages}{PRINT}"));
        let items: Vec<String> = (0..45).map(item).collect();
        script.write("items.ndjson", &(items.join("\n") + "\n"));
        Program { script }
    }
}

impl Subject for Program {
    fn settings(&self) -> Value {
        self.script.settings(json!({"complete": true}))
    }

    fn payloads(&self) -> Vec<String> {
        (0..45).map(item).collect()
    }

    fn large(&self, count: usize) -> Value {
        let pad = "p".repeat(LONG);
        let items: String = (0..count).map(|i| long_item(i, &pad) + "\n").collect();
        self.script.write("items.ndjson", &items);
        self.settings()
    }
}

/// One module of tests for each source under test.
macro_rules! conformance {
    ($($name:ident: $subject:expr,)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn reads_every_record_once_in_order() {
                let subject = $subject;
                if subject.is_there() {
                    super::reads_every_record_once_in_order(&subject);
                }
            }

            #[test]
            fn gives_the_same_records_in_batches_of_any_size() {
                let subject = $subject;
                if subject.is_there() {
                    super::gives_the_same_records_in_batches_of_any_size(&subject);
                }
            }

            #[test]
            fn resumes_from_every_cursor_it_returns() {
                let subject = $subject;
                if subject.is_there() {
                    super::resumes_from_every_cursor_it_returns(&subject);
                }
            }

            #[test]
            fn says_that_it_is_complete_behind_the_last_record() {
                let subject = $subject;
                if subject.is_there() {
                    super::says_that_it_is_complete_behind_the_last_record(&subject);
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn survives_kill_9_at_every_batch() {
                let subject = $subject;
                if subject.is_there() {
                    super::survives_kill_9_at_every_batch(&subject).await;
                }
            }
        }
    )*};
}

conformance! {
    singer: Program::singer(),
    airbyte: Program::airbyte(),
    files: Files::ndjson_and_json(),
    objects: Objects::ndjson(),
    objects_with_gzip: Objects::gzipped(),
    http_without_paging: Http::on("/all"),
    http_page_number: Http::on("/page"),
    http_offset: Http::on("/offset"),
    http_cursor: Http::on("/cursor"),
    http_cursor_in_header: Http::on("/cursor-header"),
    http_cursor_in_body: Http::on("/search"),
    http_next_link: Http::on("/links"),
    http_link_header: Http::on("/link-header"),
    postgres: Tables::new(false),
    postgres_with_cursor: Tables::new(true),
}

#[cfg(feature = "mysql")]
conformance! {
    mysql: Mysql::new(),
}

#[cfg(feature = "sqlite")]
conformance! {
    sqlite: Sqlite::new(),
}

#[cfg(feature = "parquet")]
conformance! {
    parquet_files: parquet::Files::new(),
    parquet_objects: parquet::Objects::new(),
}

/// One of each way of reading is enough: it takes its time.
macro_rules! memory {
    ($($name:ident: $subject:expr,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn $name() {
            takes_no_more_memory_than_its_bounds(&$subject).await;
        }
    )*};
}

memory! {
    memory_of_files_is_bounded: Files::ndjson_and_json(),
    memory_of_objects_is_bounded: Objects::ndjson(),
    memory_of_pages_that_are_asked_for_ahead_is_bounded: Http::on("/page"),
    memory_of_rows_is_bounded: Tables::new(false),
    memory_of_pages_one_after_the_other_is_bounded: Http::on("/cursor"),
}

#[cfg(feature = "parquet")]
memory! {
    memory_of_parquet_files_is_bounded: parquet::Files::new(),
    memory_of_parquet_objects_is_bounded: parquet::Objects::new(),
}
