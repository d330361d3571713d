//! The real binary on a bucket that wants a key.

use crate::support::sluice::Done;
use crate::support::store::Fault;
use crate::support::{Loader, Sluice, Store, TestDb, loader};

use super::support::{PART, large, lines};

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "hushhushhush";
const TOKEN: &str = "hushtoken";

/// A pipeline `numbers` on the bucket. Its target has no say in what arrives twice: the log
/// takes every row that was ever written.
async fn database(store: &Store, more: &str) -> TestDb {
    let db = TestDb::new().await;
    let session = db.connect().await;
    session
        .batch_execute(&format!(
            "create schema app;
             create table app.numbers (i bigint primary key, hits integer not null default 1);
             create function app.count_hits() returns trigger language plpgsql as
               $$ begin new.hits := old.hits + 1; return new; end $$;
             create trigger count_hits before update on app.numbers
               for each row execute function app.count_hits();
             create function app.numbers_v1(doc jsonb) returns table (i bigint) language sql stable as
               $$ select (doc->>'i')::bigint $$;
             select sluice.define_pipeline(name => 'numbers', version => 1, transform => 'app.numbers_v1',
               target => 'app.numbers', key => '{{i}}', source => sluice.object_source(
                 url => 's3://lake/in/', endpoint => '{}', allow_http => true {more}))",
            store.endpoint()
        ))
        .await
        .unwrap();
    db
}

fn sluice(db: &TestDb) -> Sluice {
    Sluice::on(db)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
}

fn run(db: &TestDb, args: &str) -> Done {
    let args = ["run", "numbers"].into_iter().chain(args.split_whitespace());
    sluice(db).args(args).run()
}

async fn loaded(db: &TestDb) -> String {
    db.value("select format('%s %s %s', count(*), coalesce(sum(i), 0), coalesce(max(hits), 0)) from app.numbers")
        .await
}

#[tokio::test]
async fn what_is_tried_again_is_told_with_the_reason() {
    let store = Store::private();
    store.put("in/a.ndjson", lines(0, 2000));
    let db = database(&store, "").await;
    store.misbehave_times(1, Fault::Cut(1000), |asked| !asked.is_listing());
    let done = run(&db, "").exits(0);
    let told = "object s3://lake/in/a.ndjson is tried again: object `s3://lake/in/a.ndjson` cannot be read; its body broke off; ";
    assert!(done.stderr.contains(told), "{done:?}");
    store.misbehave_times(1, Fault::Refuse(503, "SlowDown"), |asked| asked.is_listing());
    let done = run(&db, "").exits(0);
    assert!(
        done.stderr.contains("a request is tried again: ") && done.stderr.contains("503 (SlowDown"),
        "{done:?}"
    );
}

#[tokio::test]
async fn run_rewind_status_and_another_path() {
    let store = Store::private();
    store.put("in/a.ndjson", lines(0, 3));
    store.put("in/b.ndjson", lines(3, 3));
    let db = database(&store, "").await;
    let done = run(&db, "").exits(0);
    assert_eq!(done.summary().count("inserted"), 6);
    assert_eq!(run(&db, "").exits(0).summary().count("extracted"), 0);

    let rewind = ["rewind", "numbers", "--object", "s3://lake/in/b.ndjson"];
    let done = sluice(&db).args(rewind).run().exits(0);
    assert!(done.stdout.contains("rewound to the start of s3://lake/in/b.ndjson"));
    let done = run(&db, "").exits(0);
    assert_eq!(done.summary().count("unchanged"), 3);

    store.put("elsewhere/c.ndjson", lines(6, 2));
    let done = run(&db, "--path s3://lake/elsewhere/").exits(0);
    assert_eq!(done.summary().count("inserted"), 2);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.ndjson");
    std::fs::write(&file, lines(8, 2)).unwrap();
    for path in [file.display().to_string(), format!("file://{}", file.display())] {
        let done = run(&db, &format!("--path {path}")).exits(0);
        assert_eq!(done.summary().count("extracted"), 2, "{path}");
    }
    assert_eq!(loaded(&db).await, "10 45 1");

    let status = sluice(&db).args(["status", "--json"]).run().exits(0);
    assert!(status.stdout.contains("d.ndjson"), "{}", status.stdout);
}

#[tokio::test]
async fn kill_inside_a_large_object_loses_and_repeats_nothing() {
    let store = Store::private();
    // More than is fetched ahead, so that batches are committed before the last part is held.
    let content = large(12);
    let count = content.lines().count();
    store.put("in/a.ndjson", &content);
    let db = database(&store, "").await;
    store.misbehave(|asked| {
        let is_last = |range: &std::ops::Range<u64>| range.start == 11 * PART as u64;
        asked.range.as_ref().is_some_and(is_last).then_some(Fault::Hold)
    });
    let command = sluice(&db).args(["run", "numbers", "--batch-rows", "4000"]);
    let loader = Loader::of(command);
    store.wait_until_held();
    db.wait_until("select coalesce(max(batch_seq), 0) >= 4 from sluice.batches").await;
    loader.kill();
    assert_eq!(loader.wait().code, None);
    store.release();
    let state = "select is_done, (position->>'bytes')::bigint > 4000000 from sluice.source_state('numbers')";
    assert_eq!(db.rows(state).await, ["f|t"]);

    store.asked();
    let done = loader::until_free(|| run(&db, "")).exits(0);
    // Parts are asked for side by side, in no order.
    let asked = store.asked();
    let ranges = asked.iter().filter_map(|asked| asked.range.as_ref());
    let first = ranges.map(|range| range.start).min().unwrap();
    assert!(first > 4_000_000, "it began again, at {first}");
    let already: usize = db
        .value("select sum(b.extracted) from sluice.batches b join sluice.runs r using (run_id) where r.outcome = 'interrupted'")
        .await
        .parse()
        .unwrap();
    assert!(already >= 16_000);
    assert_eq!(done.summary().count("extracted"), (count - already) as i64);
    assert_eq!(done.summary().count("inserted"), (count - already) as i64);
    let sum = count * (count - 1) / 2;
    assert_eq!(loaded(&db).await, format!("{count} {sum} 1"));
}

#[tokio::test]
async fn credentials_are_used_and_never_shown() {
    let store = Store::private();
    store.put("in/a.ndjson", lines(0, 3));
    store.put("in/b.ndjson", lines(3, 3));
    let db = database(&store, "").await;
    // Everything there is to say, of success, refusal and a failure in between.
    let verbose = || sluice(&db).env("RUST_LOG", "trace").args(["run", "numbers", "--json", "-vv"]);
    let mut said = Vec::new();
    said.push(verbose().run().exits(0));
    store.put("in/c.ndjson", lines(6, 3));
    store.misbehave(|asked| {
        asked.key.ends_with("c.ndjson").then_some(Fault::Refuse(403, "SignatureDoesNotMatch"))
    });
    said.push(verbose().run().exits(1));
    assert_eq!(store.fired(), 1);
    said.push(sluice(&db).args(["status", "--json"]).run());
    said.push(sluice(&db).args(["doctor", "--json"]).run());
    for done in &said {
        for secret in [SECRET, TOKEN] {
            assert!(!done.stdout.contains(secret), "{}", done.stdout);
            assert!(!done.stderr.contains(secret), "{}", done.stderr);
        }
    }
    assert!(said[0].stderr.len() > 1000, "logs were wanted");
    let asked = store.asked();
    assert!(asked.iter().all(|asked| {
        let authorization = asked.authorization.as_deref().unwrap_or_default();
        authorization.starts_with("AWS4-HMAC-SHA256") && authorization.contains(KEY)
    }));

    let tables = db
        .rows("select format('select coalesce(string_agg(t::text, '' ''), '''') from sluice.%I t', relname)
               from pg_class where relnamespace = 'sluice'::regnamespace and relkind = 'r'")
        .await;
    assert!(tables.len() >= 8);
    for query in tables {
        let text = db.value(&query).await;
        for secret in [KEY, SECRET, TOKEN] {
            assert!(!text.contains(secret), "{query}: {text}");
        }
    }
}

#[tokio::test]
async fn wrong_credentials_and_wrong_buckets_are_told_word_for_word() {
    let store = Store::private();
    let db = database(&store, "").await;
    let host = &store.endpoint()["http://".len()..];
    store.misbehave(|_| Some(Fault::Refuse(403, "InvalidAccessKeyId")));
    let done = run(&db, "").exits(1);
    assert_eq!(
        done.stderr,
        format!(
            "error: bucket `lake` may not be read\n  \
             {host} answered 403 (InvalidAccessKeyId: as the test wants it)\n  \
             next:  check the credentials in the environment; they need s3:ListBucket on the bucket and s3:GetObject on its objects\n"
        )
    );
    assert!(store.fired() > 0);
    store.misbehave(|_| None);
    let done = run(&db, "--path s3://typo/in/").exits(1);
    assert!(done.stderr.starts_with("error: there is no bucket `typo`\n"), "{}", done.stderr);
}

#[tokio::test]
async fn replaced_object_is_updated_where_that_is_allowed() {
    let store = Store::private();
    store.put("in/a.ndjson", lines(0, 3));
    let db = database(&store, ", on_replace => 'reload'").await;
    run(&db, "").exits(0);
    store.put("in/a.ndjson", lines(1, 3));
    let done = run(&db, "").exits(0);
    let summary = done.summary();
    assert_eq!((summary.count("inserted"), summary.count("unchanged")), (1, 2));
    assert!(done.stderr.contains("note: s3://lake/in/a.ndjson was replaced"), "{}", done.stderr);
}

#[tokio::test]
async fn key_that_cannot_be_asked_for_waits_until_it_is_skipped() {
    let store = Store::private();
    store.put("in/a//b.ndjson", lines(7, 1));
    store.put("in/c\u{1}d.ndjson", lines(8, 1));
    store.put("in/z.ndjson", lines(0, 3));
    let db = database(&store, "").await;
    let done = run(&db, "").exits(0);
    assert_eq!(done.summary().count("waiting"), 2);
    assert!(
        done.stderr.contains("note: s3://lake/in/a//b.ndjson cannot be asked for by this key"),
        "{}",
        done.stderr
    );
    for key in ["in/a//b.ndjson", "in/c\u{1}d.ndjson"] {
        let object = format!("s3://lake/{key}");
        let reason = ["--reason", "an odd key"];
        let skip = ["skip", "numbers", "--object", &object];
        sluice(&db).args(skip.into_iter().chain(reason)).run().exits(0);
    }
    let done = run(&db, "").exits(0);
    assert!(!done.stdout.contains("waiting=2"), "{}", done.stdout);
    run(&db, "").exits(0);
    assert_eq!(loaded(&db).await, "3 3 1");
    assert_eq!(db.value("select count(*)::text from sluice.waiting_details").await, "0");
}

#[tokio::test]
async fn endpoint_without_tls_is_not_used_unless_that_is_allowed() {
    let store = Store::private();
    let db = database(&store, "").await;
    db.execute("update sluice.pipelines set source = source - 'endpoint' - 'allow_http'").await;
    let run = || sluice(&db).env("AWS_ENDPOINT_URL", store.endpoint()).args(["run", "numbers"]);
    let done = run().run().exits(1);
    assert!(
        done.stderr.starts_with("error: bucket `lake` cannot be asked for\n"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("allow_http => true"), "{}", done.stderr);
    assert_eq!(store.asked().len(), 0);
    run().env("AWS_ALLOW_HTTP", "true").run().exits(0);
    assert_eq!(store.asked().len(), 1);
}
