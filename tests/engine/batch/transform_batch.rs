//! The pure half of a batch: what becomes of a record, and whose fault an error is.

use crate::engine::{Hand, items};
use crate::support::TestDb;

const PLAIN: (&str, &str, &str) = (
    "id bigint primary key, name text",
    "id bigint, name text",
    "(doc->>'id')::bigint, doc->>'name'",
);

async fn plain(options: &str) -> TestDb {
    let db = TestDb::new().await;
    items(&db, PLAIN.0, PLAIN.1, PLAIN.2, options).await;
    db
}

/// A pipeline whose transform is written in full.
async fn with_function(db: &TestDb, function: &str) {
    db.execute(&format!(
        "create schema if not exists shop;
         create table shop.items (id bigint primary key, name text);
         {function};
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => sluice.file_source(path => '-'), max_bad_ratio => 1);"
    ))
    .await;
}

#[tokio::test]
async fn records_become_no_row_one_row_or_many() {
    let db = TestDb::new().await;
    with_function(
        &db,
        "create function shop.items_v1(doc jsonb) returns table (id bigint, name text) language sql stable as $$
           select (line->>'id')::bigint, line->>'name' from jsonb_array_elements(doc->'lines') line $$",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[
            r#"{"lines": []}"#,
            r#"{"lines": [{"id": 1, "name": "a"}]}"#,
            r#"{"lines": [{"id": 2, "name": "b"}, {"id": 3, "name": "c"}, {"id": 4}]}"#,
            r#"{}"#,
        ])
        .await,
        "extracted=4 transformed=2 filtered=2 produced=4 inserted=4"
    );
}

#[tokio::test]
async fn record_with_one_bad_row_is_quarantined_whole() {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.groups (g integer primary key); insert into shop.groups values (1)").await;
    db.execute(
        "create table shop.items (id bigint primary key, g integer references shop.groups, u integer unique, n integer check (n > 0));
         create function shop.items_v1(doc jsonb) returns table (id bigint, g integer, u integer, n integer, sluice_reject text) language sql stable as $$
           select (line->>'id')::bigint, (line->>'g')::integer, (line->>'u')::integer, (line->>'n')::integer, line->>'reject'
           from jsonb_array_elements(doc) line $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'), max_bad_ratio => 1);",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"[{"id": 1, "u": 1}]"#]).await;
    assert_eq!(
        hand.load(&[
            r#"[{"id": 10}, {"id": "x"}]"#,
            r#"[{"id": 20}, {"id": 21, "n": 0}, {"id": 22}]"#,
            r#"[{"id": 30, "g": 1}, {"id": 31, "g": 2}]"#,
            r#"[{"id": 40, "u": 40}, {"id": 41, "u": 1}]"#,
            r#"[{"id": 50}, {"id": 51, "reject": "no good"}]"#,
            r#"[{"id": 60}, {"id": null}]"#,
            r#"[{"id": 70}, {"id": 71}]"#,
        ])
        .await,
        "extracted=7 transformed=1 quarantined=6 produced=2 inserted=2"
    );
    assert_eq!(db.rows("select id from shop.items order by id").await, ["1", "70", "71"]);
    assert_eq!(
        db.rows("select sqlstate from sluice.quarantine_open_details order by position").await,
        ["22P02", "23514", "23503", "23505", "SL100", "23502"]
    );
}

#[tokio::test]
async fn reject_column_and_reject_function_quarantine_with_their_reason() {
    let db = TestDb::new().await;
    with_function(
        &db,
        "create function shop.items_v1(doc jsonb) returns table (id bigint, name text, sluice_reject text) language sql stable as $$
           select (doc->>'id')::bigint, coalesce(doc->>'name', sluice.reject('no name', 'names are needed')),
             case when (doc->>'id')::bigint > 5 then 'too large' when (doc->>'id')::bigint = 5 then '' end $$",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[
            r#"{"id": 1, "name": "a"}"#,
            r#"{"id": 2}"#,
            r#"{"id": 6, "name": "a"}"#,
            r#"{"id": 5, "name": "empty reasons are reasons"}"#,
        ])
        .await,
        "extracted=4 transformed=1 quarantined=3 produced=1 inserted=1"
    );
    assert_eq!(
        db.rows("select sqlstate, message, detail, \"column\" from sluice.quarantine_open_details order by position").await,
        ["SL100|no name|names are needed|-", "SL100|too large|-|-", "SL100||-|-"]
    );
}

#[tokio::test]
async fn deleted_rows_are_removed_and_need_nothing_but_their_key() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, name text not null check (length(name) > 0)",
        "id bigint, name text, sluice_deleted boolean",
        "(doc->>'id')::bigint, doc->>'name', (doc->>'gone')::boolean",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#, r#"{"id": 2, "name": "b", "gone": false}"#]).await;
    assert_eq!(
        hand.load(&[
            r#"{"id": 1, "gone": true}"#,
            r#"{"id": 9, "gone": true}"#,
            r#"{"id": null, "gone": true}"#,
        ])
        .await,
        "extracted=3 transformed=2 quarantined=1 produced=2 deleted=1 unchanged=1"
    );
    assert_eq!(db.rows("select id from shop.items").await, ["2"]);
    // The last word in a batch counts, and comes back to life.
    assert_eq!(
        hand.load(&[
            r#"{"id": 2, "gone": true}"#,
            r#"{"id": 2, "name": "c"}"#,
            r#"{"id": 1, "name": "d"}"#,
            r#"{"id": 1, "gone": true}"#
        ])
        .await,
        "extracted=4 transformed=4 produced=4 updated=1 unchanged=1 superseded=2"
    );
    assert_eq!(db.rows("select id, name from shop.items").await, ["2|c"]);
}

/// The corpus of what sources send. `null`: the record loads.
const CORPUS: &[(&str, Option<&str>)] = &[
    (r#"{"id": 1, "name": "plain"}"#, None),
    ("", Some("22P02")),
    (" ", Some("22P02")),
    ("{", Some("22P02")),
    (r#"{"id": 2, "name": "cut"#, Some("22P02")),
    ("<html>200 OK</html>", Some("22P02")),
    ("\u{feff}{\"id\": 3}", Some("22P02")),
    (r#"{"id": 4, "name": "\u0000"}"#, Some("22P05")),
    (r#"{"id": 5, "name": "\ud800"}"#, Some("22P02")),
    (r#"{"id": 6, "name": "\udc00\ud800"}"#, Some("22P02")),
    ("{\"id\": 7, \"name\": \"\u{2028}☃\"}", None),
    (r#"{"id": 8, "name": 1e131072}"#, Some("22003")),
    (r#"{"id": 9, "name": 1e-16384}"#, Some("22003")),
    (r#"{"id": 9007199254740993, "name": "beyond f64"}"#, None),
    (r#"{"id": 9223372036854775808}"#, Some("22003")),
    (r#"{"id": -0}"#, None),
    (r#"{"id": NaN}"#, Some("22P02")),
    (r#"{"id": Infinity}"#, Some("22P02")),
    (r#"{"id": 10, "id": 11, "name": "last wins"}"#, None),
    ("{}", Some("23502")),
    (r#"{"id": null}"#, Some("23502")),
    ("[]", Some("23502")),
    ("7", Some("23502")),
    ("null", Some("23502")),
    (r#""text""#, Some("23502")),
    (r#"{"id": 1.5}"#, Some("22P02")),
    (r#"{"id": "of"}"#, Some("22P02")),
    (r#"{"id": "2024-02-30"}"#, Some("22P02")),
    (r#"{"id": {"a": 1}}"#, Some("22P02")),
    ("{\"id\": 12}\r", None),
    ("{\"id\": 13} {\"id\": 14}", Some("22P02")),
    ("\\.", Some("22P02")),
    (r#"{"id": 15, "name": "\\."}"#, None),
    (r#"{'id': 16}"#, Some("22P02")),
];

#[tokio::test]
async fn every_bad_record_of_the_corpus_is_quarantined_whatever_the_batch() {
    let long = format!(r#"{{"id": 100, "name": "{}"}}"#, "x".repeat(3 << 20));
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let (deeper, deepest) = (deep(10_000), deep(100_000));
    let long_number = format!(r#"{{"id": {}}}"#, "9".repeat(200_000));
    let mut corpus: Vec<(&str, Option<&str>)> = CORPUS.to_vec();
    corpus.extend([
        (long.as_str(), None),
        (deepest.as_str(), Some("54001")),
        (deeper.as_str(), Some("54001")),
        (long_number.as_str(), Some("22003")),
    ]);
    // Depth 10,000 is within some servers' stack and an array without id for all of them.
    let verdict = |expected: Option<&str>| expected.map(ToOwned::to_owned);

    let alone = plain("key => '{id}'").await;
    let mut hand = Hand::start(&alone).await;
    for (record, expected) in &corpus {
        let books = hand.load(&[record]).await;
        let start: String = record.chars().take(60).collect();
        let found = if books.contains("quarantined=1") {
            Some(
                alone
                    .value("select sqlstate from sluice.quarantine order by quarantine_id desc limit 1")
                    .await,
            )
        } else {
            None
        };
        if *record == deeper {
            assert!(
                found.as_deref() == Some("54001") || found.as_deref() == Some("23502"),
                "{found:?}"
            );
        } else {
            assert_eq!(found, verdict(*expected), "{start}");
        }
    }

    let together = plain("key => '{id}'").await;
    let mut hand = Hand::start(&together).await;
    let records: Vec<&str> = corpus.iter().map(|(record, _)| *record).collect();
    let backwards: Vec<&str> = records.iter().rev().copied().collect();
    hand.load(&records).await;
    hand.load(&backwards).await;
    let verdicts = "select encode(payload_sha256, 'hex'), sqlstate, column_name, message from sluice.quarantine order by 1";
    assert_eq!(together.rows(verdicts).await, alone.rows(verdicts).await);
    let rows = "select id, md5(name) from shop.items order by id";
    assert_eq!(together.rows(rows).await, alone.rows(rows).await);
    assert_eq!(
        together.value("select count(*) from sluice.quarantine where seen_count <> 2").await,
        "0"
    );
}

#[tokio::test]
async fn many_bad_records_among_good_ones_are_all_found() {
    let db = plain("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    let records: Vec<String> = (0..3000)
        .map(|n| {
            if n % 7 == 3 { format!(r#"{{"id": "bad {n}"}}"#) } else { format!(r#"{{"id": {n}}}"#) }
        })
        .collect();
    assert_eq!(
        hand.load(&records).await,
        "extracted=3000 transformed=2571 quarantined=429 produced=2571 inserted=2571"
    );
    assert_eq!(
        db.value("select count(*) from sluice.quarantine where position % 7 <> 4 or convert_from(payload, 'UTF8') <> format('{\"id\": \"bad %s\"}', position - 1)").await,
        "0"
    );
}

#[tokio::test]
async fn errors_that_no_record_can_be_blamed_for_fail_the_batch() {
    for (body, code) in [
        ("select (doc->>'id')::bigint, shop.no_such_function(doc)", "42883"),
        ("select (doc->>'id')::bigint, (select x from shop.no_such_table)", "42P01"),
        ("select (doc->>'id')::bigint, (select secret from shop.vault)", "42501"),
        ("select (doc->>'id')::bigint, shop.fail('57014')", "57014"),
        ("select (doc->>'id')::bigint, shop.fail('40001')", "40001"),
        ("select (doc->>'id')::bigint, shop.fail('53100')", "53100"),
        ("select (doc->>'id')::bigint, shop.fail('XX001')", "XX001"),
        ("select (doc->>'id')::bigint, shop.fail('08006')", "08006"),
    ] {
        let db = TestDb::new().await;
        with_function(
            &db,
            &format!(
                "do $$ begin if not exists (select from pg_roles where rolname = 'engine_loader') then create role engine_loader in role sluice_operator; end if;
                   exception when duplicate_object or unique_violation then null; end $$;
                 create table shop.vault (secret text);
                 create function shop.fail(code text) returns text language plpgsql stable as $$
                   begin raise exception using errcode = code, message = 'not the record'; end $$;
                 grant usage on schema shop to engine_loader;
                 grant select, insert, update, delete on shop.items to engine_loader;
                 create function shop.items_v1(doc jsonb) returns table (id bigint, name text) language plpgsql stable as $f$
                   begin return query {body} where doc->>'id' <> '1'; return query select (doc->>'id')::bigint, null where doc->>'id' = '1'; end $f$"
            ),
        )
        .await;
        db.execute(
            "grant select, insert, update, delete on shop.items to engine_loader;
             update sluice.pipelines set owner = 'sluice_operator'",
        )
        .await;
        let session = db.connect().await;
        session.batch_execute("set role engine_loader").await.unwrap();
        let mut hand = Hand::of(session, "items").await;
        let problem = hand.fail(&[r#"{"id": 1}"#, r#"{"id": "x"}"#, r#"{"id": 2}"#]).await;
        assert_eq!(problem.code, code, "{problem:?}");
        assert_eq!(
            db.value("select (select count(*) from sluice.quarantine), (select count(*) from shop.items), (select batch_seq from sluice.etl_state)").await,
            "0|0|0",
            "{code}"
        );
    }
}

#[tokio::test]
async fn raise_without_an_sqlstate_quarantines_the_record() {
    let db = TestDb::new().await;
    with_function(
        &db,
        "create function shop.items_v1(doc jsonb) returns table (id bigint, name text) language plpgsql as $$
         begin
           if doc->>'name' is null then raise exception 'item % has no name', doc->>'id' using detail = 'see the manual', column = 'name'; end if;
           return query select (doc->>'id')::bigint, doc->>'name';
         end $$",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[r#"{"id": 1}"#, r#"{"id": 2, "name": "b"}"#]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
    assert_eq!(
        db.value(
            "select sqlstate, message, detail, \"column\" from sluice.quarantine_open_details"
        )
        .await,
        "P0001|item 1 has no name|see the manual|name"
    );
}

#[tokio::test]
async fn nothing_permanent_is_touched_and_no_lock_held_before_load_batch() {
    let db = plain("key => '{id}'").await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1}"#, r#"{"id": "x"}"#]).await.unwrap();
    hand.transform().await.unwrap();
    let pid: i32 = hand.session.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    // Locks on permanent tables that would stop a writer.
    assert_eq!(
        db.rows(&format!(
            "select relation::regclass, mode from pg_locks l join pg_class c on c.oid = l.relation
             where l.pid = {pid} and c.relpersistence = 'p' and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
               and c.relnamespace <> 'pg_catalog'::regnamespace"
        ))
        .await,
        Vec::<String>::new()
    );
    // Another session may lock the state, and read nothing of the batch.
    db.execute(
        "begin; set local lock_timeout = '1s'; select * from sluice.etl_state for update; commit",
    )
    .await;
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    hand.session.batch_execute("rollback").await.unwrap();
    assert_eq!(
        db.value(
            "select (select count(*) from sluice.quarantine), (select count(*) from shop.items)"
        )
        .await,
        "0|0"
    );
}

#[tokio::test]
async fn batches_on_one_connection_leave_nothing_to_each_other() {
    let db = plain("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#, r#"{"id": "x"}"#]).await;
    hand.fail_with_a_missing_column(&db).await;
    assert_eq!(
        hand.load(&[r#"{"id": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 inserted=1"
    );
    assert_eq!(hand.load::<&str>(&[]).await, "");
    // Catalogs do not grow with batches.
    let classes = "select count(*) from pg_class";
    let before = db.value(classes).await;
    for _ in 0..5 {
        hand.load(&[r#"{"id": 3}"#]).await;
    }
    assert_eq!(db.value(classes).await, before);
    assert_eq!(
        hand.session
            .query_one("select count(*) from pg_temp.sluice_staging", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
}

impl Hand {
    async fn fail_with_a_missing_column(&mut self, db: &TestDb) {
        db.execute("alter table shop.items rename name to title").await;
        self.fail(&[r#"{"id": 5}"#]).await.is("SL005", "target shop.items has no column name");
        db.execute("alter table shop.items rename title to name").await;
    }
}

#[tokio::test]
async fn steps_out_of_order_are_refused() {
    let db = plain("key => '{id}'").await;
    let hand = Hand::start(&db).await;
    for sql in
        ["select * from sluice.transform_batch()", "select * from sluice.load_batch(1, 1, 1, null)"]
    {
        let error = hand.session.batch_execute(sql).await.unwrap_err();
        crate::engine::Problem::of(&error).is("SL002", "no batch is open in this transaction");
    }
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let error =
        hand.session.batch_execute("select * from sluice.transform_batch()").await.unwrap_err();
    crate::engine::Problem::of(&error).is("SL002", "no batch is open in this transaction");
}
