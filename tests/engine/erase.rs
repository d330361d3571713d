//! A person's data is removed wherever the engine keeps it, and the books still balance.

use crate::engine::{Hand, problem};
use crate::support::{Sluice, TestDb};
use std::process::Command;

const ANNA: &str = "anna.petersson@example.org";
const DOUBTS: &str =
    "select check_name, detail from sluice.verify('people', deep => true) where is_ok is not true";

/// People with their notes, delivered and retained; a record whose `n` is no number is bad.
async fn people(options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create schema shop;
         create table shop.people (email text primary key, n integer, name text);
         create table shop.notes (email text references shop.people, no integer, note text, primary key (email, no));
         create function shop.people_v1(doc jsonb)
         returns table (email text, n integer, name text, sluice_deleted boolean) language sql stable as $$
           select lower(doc->>'mail'), (doc->>'n')::integer, doc->>'name', (doc->>'del')::boolean
           where not doc ? 'skip' $$;
         create function shop.notes_v1(doc jsonb) returns table (email text, no integer, note text)
         language sql stable as $$
           select lower(doc->>'mail'), (e.n)::integer, e.note
           from jsonb_array_elements_text(doc->'notes') with ordinality e (note, n) where not doc ? 'skip' $$;
         select sluice.define_pipeline(name => 'people', version => 1, transform => 'shop.people_v1',
           target => 'shop.people', key => '{{email}}', source => sluice.file_source(path => '-'),
           max_bad_ratio => 1, retain_raw => '7 days', skip_known => true,
           also => array[sluice.also_target(transform => 'shop.notes_v1', target => 'shop.notes',
             key => '{{email,no}}', parent => '{{email}}')]
           {options});"
    ))
    .await;
    let hand = Hand::of(db.connect().await, "people").await;
    (db, hand)
}

/// The person is spelled as the transform reads it, not as the key is.
fn record(mail: &str, rest: &str) -> String {
    format!(r#"{{"mail": "{mail}", {rest}}}"#)
}

/// Whatever the engine and the target hold, as a backup would have it: also what stands in bytes. `None`, said aloud:
/// there is no pg_dump for this server.
fn dump(db: &TestDb) -> Option<String> {
    let dumped = Command::new("pg_dump")
        .args(["--schema=sluice", "--schema=shop", "--dbname", &db.url])
        .output();
    match dumped {
        Ok(dumped) if dumped.status.success() => Some(String::from_utf8(dumped.stdout).unwrap()),
        other => {
            eprintln!("SKIPPED, NOT TESTED: no pg_dump for this server: {other:?}");
            None
        }
    }
}

/// How often a text stands in a dump, in whatever case, in clear or as bytes.
fn found(dump: &str, text: &str) -> usize {
    let in_bytes = |text: &str| {
        let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        dump.matches(&bytes).count()
    };
    let lower = text.to_lowercase();
    dump.to_lowercase().matches(&lower).count() + in_bytes(text) + in_bytes(&lower)
}

/// Traces of Anna in every place: a row with notes, retained, filtered, open, discarded, amended and replayed records,
/// dead deliveries, her own and one whose answer names her, and an error of a run; and others beside her.
async fn lived_in() -> (TestDb, Hand) {
    let deliver =
        ", deliver => sluice.http_delivery(url => 'https://crm.example/p', deletes => false)";
    let (db, mut hand) = people(deliver).await;
    let mail = "Anna.Petersson@Example.org";
    hand.load(&[record("bo@example.org", r#""n": 1"#)]).await;
    hand.load(&[
        record(
            mail,
            r#""n": 1, "name": "Anna Pétersson", "notes": ["likes tea", "of Anna Pétersson"]"#,
        ),
        record(mail, r#""n": 2, "skip": true"#),
        record(mail, r#""n": "two", "name": "open""#),
        record(mail, r#""n": "three", "name": "discarded""#),
        record(mail, r#""n": "four", "name": "replayed""#),
        record("cleo@example.org", r#""n": "five", "name": "friend of Anna P\u00e9tersson""#),
        record("bo@example.org", r#""n": 2, "notes": ["hm"]"#),
    ])
    .await;
    db.execute(&format!(
        r#"select sluice.discard('people', filter => $$ payload like '%three%' $$, reason => 'not hers');
           select sluice.amend(id, replace(payload, '"four"', '4'), 'told by {ANNA}') from sluice.quarantine_open_details
           where payload like '%four%';
           select sluice.replay('people', filter => $$ payload like '%replayed%' $$);
           select sluice.start_delivery('people', 'test');
           select sluice.claim_deliveries('people', 1);
           select sluice.record_deliveries('people', 1, (
             select jsonb_agg(jsonb_build_object('id', id, 'outcome', 'dead', 'answer', 'no to {ANNA}', 'error', 'refused'))
             from sluice.deliveries where state = 'in_flight'));
           update sluice.runs set error = 'batch 3: 1 × 22P02: "{ANNA}"';"#
    ))
    .await;
    (db, hand)
}

const KEY: &str = r#"{"email": "anna.petersson@example.org"}"#;

#[tokio::test]
async fn what_is_erased_stands_in_no_dump_and_the_books_balance() {
    let (db, _hand) = lived_in().await;
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
    let texts = "{anna.petersson@example.org,Anna Pétersson,Anna.Petersson}";
    let erase = |rest: &str| {
        format!(
            "select place, traces, erased from sluice.erase('people', '{KEY}', '{texts}', {rest})"
        )
    };
    let before = dump(&db);
    let would = db.rows(&erase("dry_run => true, rows => true")).await;
    let anna = |dump: Option<String>| dump.map(|dump| found(&dump, ANNA));
    assert_eq!(anna(before.clone()), anna(dump(&db)), "a dry run erased");
    let done = db.rows(&erase("reason => 'request 17', rows => true")).await;
    assert_eq!(would, done);
    assert_eq!(
        done,
        [
            "deliveries|2|2",
            "rows of shop.notes|2|2",
            "rows of shop.people|1|1",
            "keys of deleted rows|0|0",
            "quarantine|4|4",
            "retained payloads|2|2",
            "errors and notes|1|1",
            "cursors and names|0|0",
        ]
    );
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
    assert_eq!(
        db.rows("select pipeline, reason, places->'quarantine' from sluice.erasures").await,
        ["people|request 17|4"]
    );
    // Those of others are as they were.
    assert_eq!(db.rows("select email, n from shop.people").await, ["bo@example.org|2"]);
    assert_eq!(
        db.rows("select payload::jsonb->>'n' from sluice.raw_records('people') order by ordinal")
            .await,
        ["1", "2"]
    );
    if let (Some(before), Some(after)) = (before, dump(&db)) {
        for text in [ANNA, "Anna Pétersson", r"Anna P\u00e9tersson", "likes tea", "discarded\""] {
            assert!(found(&before, text) > 0, "{text} was not there");
            assert_eq!(found(&after, text), 0, "{text} is there");
        }
        assert!(found(&after, "bo@example.org") > 0);
    }
    // Nothing is left to be erased, and the records that stay are worked with as before.
    assert!(db.rows(&erase("dry_run => true")).await.iter().all(|line| line.ends_with("|0|0")));
    db.execute("select sluice.reload('people', from_batch => 0)").await;
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
}

#[tokio::test]
async fn erased_bytes_that_come_again_stay_erased_and_other_records_bring_the_row_back() {
    let (db, mut hand) = people("").await;
    let (bad, good) = (record(ANNA, r#""n": "x""#), record(ANNA, r#""n": 7"#));
    hand.load(&[&bad, &good]).await;
    db.execute(&format!(
        "select sluice.erase('people', '{KEY}', reason => 'request 17', rows => true)"
    ))
    .await;
    assert_eq!(hand.load(&[&bad]).await, "extracted=1 quarantined=1");
    assert_eq!(
        db.rows("select status, seen_count, payload, message, keys from sluice.quarantine").await,
        [r"erased|2|\x|erased|-"]
    );
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
    let open = "select sluice.reopen('people', all_discarded => true)";
    assert_eq!(db.value(open).await, "0");
    // As a rewind would.
    hand.load(&[&good]).await;
    assert_eq!(db.value("select email from shop.people").await, ANNA);
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
}

#[tokio::test]
async fn a_stopped_key_is_let_in_by_nothing_until_its_stop_is_lifted() {
    for options in ["", ", order_by => 'n'"] {
        let (db, mut hand) = people(options).await;
        let (anna, bo) = (record(ANNA, r#""n": 7"#), record("bo@example.org", r#""n": 1"#));
        hand.load(&[&anna, &bo]).await;
        db.execute(&format!(
            "select sluice.erase('people', '{KEY}', reason => 'request 17', rows => true, stop => true);
             select sluice.prune('people', tombstones_before => 'infinity')"
        ))
        .await;
        let newer = record(ANNA, r#""n": 8, "notes": ["again"]"#);
        assert_eq!(
            hand.load(&[&anna, &bo, &newer]).await,
            "extracted=3 transformed=3 produced=4 unchanged=1 stale=2 superseded=1"
        );
        let gone = record(ANNA, r#""n": 9, "del": true"#);
        hand.load(&[&gone]).await;
        assert_eq!(db.rows("select email from shop.people").await, ["bo@example.org"]);
        assert_eq!(db.rows("select from shop.notes").await, [""; 0]);
        if let Some(dump) = dump(&db) {
            assert_eq!(found(&dump, ANNA), 0, "retained, or in clear in a tombstone");
        }
        assert_eq!(db.rows(DOUBTS).await, [""; 0]);
        db.execute("select sluice.reload('people', from_batch => 0)").await;
        assert_eq!(db.rows(DOUBTS).await, [""; 0]);

        let lift = format!("select sluice.lift_stop('people', '{KEY}', 'request 18')");
        db.execute(&lift).await;
        problem(&db, &lift).await.refuses("this key is not stopped", "stop => true");
        hand.load(&[&newer]).await;
        assert_eq!(db.value("select n from shop.people where email like 'anna%'").await, "8");
        assert_eq!(
            db.rows("select reason from sluice.erasures").await,
            ["request 17", "request 18"]
        );
        assert_eq!(db.rows(DOUBTS).await, [""; 0]);
    }
}

#[tokio::test]
async fn of_a_key_that_was_deleted_before_a_hash_stays_that_keeps_older_records_out() {
    let (db, mut hand) = people(", order_by => 'n'").await;
    hand.load(&[record(ANNA, r#""n": 5"#)]).await;
    hand.load(&[record(ANNA, r#""n": 6, "del": true"#)]).await;
    let erase = format!(
        "select place, erased from sluice.erase('people', '{KEY}', reason => 'request 17')"
    );
    let done = db.rows(&erase).await;
    assert!(done.contains(&"keys of deleted rows|1".to_owned()), "{done:?}");
    assert_eq!(db.value("select key from sluice.tombstones").await, "{}");
    assert_eq!(db.rows(DOUBTS).await, [""; 0]);
    assert_eq!(
        hand.load(&[record(ANNA, r#""n": 5"#)]).await,
        "extracted=1 transformed=1 produced=1 stale=1"
    );
}

#[tokio::test]
async fn what_is_not_sent_yet_stays_and_says_so() {
    let deliver = ", deliver => sluice.http_delivery(url => 'https://crm.example/p')";
    let (db, mut hand) = people(deliver).await;
    hand.load(&[record(ANNA, r#""n": 5"#)]).await;
    hand.load(&[record(ANNA, r#""n": 6, "del": true"#)]).await;
    let erase = format!(
        "select traces, erased, detail from sluice.erase('people', '{KEY}', reason => 'request 17', rows => true)
         where place = 'deliveries'"
    );
    assert_eq!(
        db.rows(&erase).await,
        ["2|1|1 are not sent yet: deliver or discard them, then erase once more"]
    );
    assert_eq!(db.rows("select operation, state from sluice.deliveries").await, ["delete|unsent"]);
}

#[tokio::test]
async fn an_erasure_has_to_say_whose_data_and_why_without_them() {
    let (db, _hand) = people("").await;
    for (call, message, hint) in [
        ("reason => 'x'", "needs to be told whose data", "contains =>"),
        ("contains => '{an}', reason => 'x'", "'an' is too short", "4 characters"),
        ("contains => '{anna}', reason => 'x', rows => true", "only the row of a key", "key =>"),
        (
            "key => '\"a\"', reason => 'x', stop => true",
            "stopped when its row goes",
            "rows => true",
        ),
        ("key => '\"anna\"'", "needs a reason", "stays in the ledger"),
        ("key => '\"anna\"', reason => 'for anna'", "the reason holds", "name the request"),
        ("key => '{\"id\": 1}', reason => 'x'", "is not a key of pipeline people", "email"),
    ] {
        problem(&db, &format!("select sluice.erase('people', {call})"))
            .await
            .refuses(message, hint);
    }
    assert_eq!(db.rows("select from sluice.erasures").await, [""; 0]);
}

/// The hash that stays is of the key's bytes, and the person would come back in other letters.
#[tokio::test]
async fn a_key_that_may_be_written_otherwise_cannot_be_stopped() {
    let db = TestDb::new().await;
    db.execute("create collation public.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        .await;
    let table = "name text collate public.folded primary key";
    crate::engine::items(&db, table, "name text", "doc->>'name'", "key => '{name}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"name": "Anna"}"#]).await;
    let erase = |more: &str| {
        format!(
            "select sluice.erase('items', '{{\"name\": \"ANNA\"}}', reason => 'request 17', rows => true{more})"
        )
    };
    problem(&db, &erase(", stop => true")).await.refuses(
        "stop does not go with key column name text collate folded, in which equal values may have different bytes",
        "deterministic collation",
    );
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
    db.rows(&erase("")).await;
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
}

#[tokio::test]
async fn the_command_erases_says_what_stays_and_lifts_a_stop() {
    let (db, mut hand) = people("").await;
    hand.load(&[record(ANNA, r#""n": 5"#)]).await;
    let sluice = |args: &[&str]| Sluice::on(&db).args(["erase", "people", ANNA]).args(args).run();
    let dry = sluice(&["--contains", "Anna Petersson", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains("the row stays: rows => true (--rows)"), "{}", dry.stdout);
    assert!(dry.stderr.contains("nothing was erased"), "{}", dry.stderr);
    sluice(&["--rows", "--stop", "--reason", "request 17"]).exits(0);
    assert_eq!(db.rows("select from shop.people").await, [""; 0]);
    sluice(&["--lift-stop", "--reason", "request 18"]).exits(0);
    hand.load(&[record(ANNA, r#""n": 5"#)]).await;
    assert_eq!(db.value("select n from shop.people").await, "5");
}
