//! Transforms that take a row: fields and payloads come to the same.

use super::activation::activate_in_the_middle;
use crate::support::{Sluice, TestDb};

/// A table of texts as they came, and a pipeline `items` that takes rows of four fields.
const TEXTS: &str = r#"
  create schema shop;
  create table shop.items (id bigint primary key, a text, b text, "Spaced, ""name""" text);
  create type shop.items_in as (id bigint, a text, b text, "Spaced, ""name""" text);
  create function shop.items_v1(r shop.items_in) returns table (id bigint, a text, b text, "Spaced, ""name""" text)
  language sql stable as $$ select r.id, r.a, r.b, r."Spaced, ""name""" $$;"#;

async fn texts(pipeline: &str, options: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "{TEXTS} select sluice.define_pipeline(name => '{pipeline}', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => sluice.file_source(path => '-'), max_bad_ratio => 1 {options});"
    ))
    .await;
    db
}

const ROWS: &str =
    "select * from (select to_jsonb(i) - 'sluice_batch' from shop.items i order by id) i";
const FAULTS: &str =
    "select encode(payload, 'escape'), position, sqlstate, message, detail, column_name
  from sluice.quarantine where status = 'open' order by position";

/// A batch by hand, of payloads.
async fn load_payloads(db: &TestDb, records: &[&str]) {
    let records: Vec<String> = records.iter().map(|r| format!("$r${r}$r$")).collect();
    db.execute(&format!(
        r#"do $d$ declare v record; begin
           select * into v from sluice.start_run('items', 'by hand');
           perform sluice.begin_batch('items', v.run_id);
           insert into pg_temp.sluice_staging (ordinal, position, payload)
           select n - 1, n, r from unnest(array[{}]) with ordinality as r (r, n);
           perform sluice.transform_batch('[{{"first_ordinal": 0, "origin": "hand"}}]');
           perform sluice.load_batch(v.run_id, v.epoch, v.batch_seq + 1, '{{}}');
         end $d$"#,
        records.join(", ")
    ))
    .await;
}

/// What only a careful reader reads alike twice.
const NASTY: &[&str] = &[
    r#"{"id":1,"a":"x","b":"y"}"#,
    r#"  { "b" : -0.10 , "id" : 2 , "a" : 1e400 }  "#,
    r#"{"id":3,"a":12345678901234567890.12345678901234567890,"b":0.1000}"#,
    r#"{"id":4,"a":"first","a":"last","b":null,"b":"n"}"#,
    r#"{"id":5,"a":{"k" : [1, 2 ,3], "a":"inner"},"b":[ ]}"#,
    r#"{"id":6,"a":true,"b":false,"Spaced, \"name\"":"there"}"#,
    r#"{"id":7,"\u0061":"by escape","b":"\u0062\n\t\"\\\/"}"#,
    r#"{"id":8,"a":"\ud83d\ude00 é","b":"\\u0000"}"#,
    r#"{"id":9,"a":"\u0000"}"#,
    r#"{"id":10,"c":"\u0000"}"#,
    r#"{"id":11,"c":"\ud83d"}"#,
    r#"{"id":12,"c":"\ude00\ud83d"}"#,
    r#"{"id":13"#,
    r#"{"id":14}}"#,
    r#"{"id":15,}"#,
    r#"{"id":016}"#,
    r#"{"id":"17","a":""}"#,
    r#"{"id":18.0}"#,
    r#"{"id":"x"}"#,
    r#"{"id":null}"#,
    r#"{"id":99999999999999999999}"#,
    r#"{"A":"other case","id":22}"#,
    "null",
    "7",
    r#"[{"id":25}]"#,
    r#"{"id":26,"a":'x'}"#,
    r#"{"id":27,"a":NaN}"#,
    "{\"id\":28,\"a\":\"\u{1}\"}",
    "{\"id\":29,\"a\":\"\u{7f}\u{2028}\"}",
    r#"{"id":30,"a":"infinity","b":"NaN"}"#,
    r#"{"id":31,"a":"now"}"#,
];

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_payloads_make_the_same_rows_and_the_same_faults() {
    let deep = format!("{{\"id\":32,\"a\":{}{}}}", "[".repeat(1500), "]".repeat(1500));
    let records: Vec<&str> = NASTY.iter().copied().chain([&*deep]).collect();
    let (by_fields, by_payload) = (texts("items", "").await, texts("items", "").await);
    let done = Sluice::on(&by_fields)
        .args(["run", "items", "--format", "ndjson"])
        .run_with_input(records.join("\n").as_bytes())
        .exits(0);
    load_payloads(&by_payload, &records).await;
    let rows = by_payload.rows(ROWS).await;
    assert!(rows.len() > 10, "{rows:?}");
    assert_eq!(by_fields.rows(ROWS).await, rows);
    let faults = by_payload.rows(FAULTS).await;
    assert_eq!(rows.len() + faults.len(), records.len(), "{done:?}");
    assert_eq!(by_fields.rows(FAULTS).await, faults);

    // Again, from quarantine; nothing is mended by that.
    by_fields.execute("select sluice.replay('items')").await;
    assert_eq!(by_fields.rows(FAULTS).await, faults);
    assert_eq!(
        by_fields.value("select bool_and(is_ok) from sluice.verify(deep => true)").await,
        "t"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_fields_make_the_rows_that_their_payloads_make() {
    let csv = "b,extra,id,a\r\n\
               \"say \"\"hi\"\", you\",x,1,back\\slash\r\n\
               ,\"two\nlines\",2,\\N\r\n\
               \"\\N\",,3,\"tab\t\"\r\n\
               too,few\r\n\
               é,x,not a number,null\r\n\
               \"null\",x,4,\"\"\r\n";
    let db = texts("items", ", retain_raw => '1 day'").await;
    db.execute(
        r"update sluice.pipelines set source = sluice.file_source(path => '-', format => 'csv', null_string => '\N')",
    )
    .await;
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(csv.as_bytes()).exits(0);
    assert!(
        done.stderr.contains(r#"no column `Spaced, "name"`, which the transform takes"#),
        "{done:?}"
    );
    assert_eq!(
        db.rows("select id, a, b from shop.items order by id").await,
        [r#"1|back\slash|say "hi", you"#, "2|-|", "3|tab\t|\\N", "4||null",]
    );
    let rows = db.rows(ROWS).await;
    let faults =
        db.rows("select sqlstate, column_name, position from sluice.quarantine order by 1").await;
    assert_eq!(faults, ["22P02|id|7", "22P04|-|6"]);

    // By their payloads, as they were retained.
    db.execute("delete from shop.items; select sluice.reload('items', from_batch => 0)").await;
    assert_eq!(db.rows(ROWS).await, rows);
    let why = db.rows(r#"select fact || ' ' || value from sluice.why('items', '{"id": 3}')"#).await;
    assert!(
        why.contains(&r#"payload {"b":"\\N","extra":"","id":"3","a":"tab\t"}"#.to_owned()),
        "{why:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_turns_out_bad_is_set_aside_with_its_payload_wherever_that_shows() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.parents (id bigint primary key);
         create table shop.items (id bigint primary key, name text not null unique check (name <> 'bad'),
           parent bigint references shop.parents);
         create type shop.items_in as (id text, name text, parent text);
         create function shop.items_v1(r shop.items_in, meta jsonb) returns table (id bigint, name text, parent bigint, sluice_reject text)
         language sql stable as $$
           select r.id::bigint, r.name, r.parent::bigint, case when meta->>'position' = '7' then 'the seventh' end $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1);",
    )
    .await;
    let lines = [
        r#"{"id": 1, "name": "a"}"#,
        r#"{"id": "x", "name": "cast"}"#,
        r#"{"id": 3, "name": "bad"}"#,
        r#"{"id": 4}"#,
        r#"{"id": 5, "name": "orphan", "parent": 1}"#,
        r#"{"id": 6, "name": "a"}"#,
        r#"{"id": 7, "name": "seventh"}"#,
    ];
    let faults =
        "select convert_from(payload, 'UTF8'), sqlstate from sluice.quarantine order by position";
    let expected: Vec<String> = lines[1..]
        .iter()
        .zip(["22P02", "23514", "23502", "23503", "23505", "SL100"])
        .map(|(line, code)| format!("{line}|{code}"))
        .collect();
    let input = lines.join("\n");
    let dry = Sluice::on(&db).args(["run", "items", "--dry-run"]).run_with_input(input.as_bytes());
    assert_eq!(dry.summary().count("quarantined"), 6, "{dry:?}");
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(input.as_bytes()).exits(0);
    assert_eq!(db.rows(faults).await, expected);
    assert_eq!(done.summary().count("retried"), 0, "asking for payloads is no retry");
    assert_eq!(db.rows("select id from shop.items").await, ["1"]);

    // The same bytes once they fit: of those that wait, payloads are compared.
    db.execute("delete from shop.items; insert into shop.parents values (1)").await;
    let again = [lines[5], lines[4]].join("\n");
    Sluice::on(&db).args(["run", "items"]).run_with_input(again.as_bytes()).exits(0);
    assert_eq!(
        db.rows("select convert_from(payload, 'UTF8') from sluice.quarantine where status <> 'open' order by 1").await,
        [lines[4], lines[5]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_come_again_are_recognised() {
    let db = texts("items", "").await;
    let lines: String = (1..=2000).map(|id| format!("{{\"id\":{id},\"a\":\"x\"}}\n")).collect();
    for known in ["0", "2000"] {
        Sluice::on(&db)
            .args(["run", "items", "--format", "ndjson"])
            .run_with_input(lines.as_bytes())
            .exits(0);
        assert_eq!(
            db.value("select known from sluice.batches order by batch_id desc limit 1").await,
            known
        );
    }
}

/// Version 1 takes a row and waits in batch 2 for whoever holds the lock 42; 2 takes a row of other fields, 3 the document.
const VERSIONS: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, name text not null);
  create type shop.items_in as (id bigint, name text);
  create type shop.items_in2 as (name text, id bigint, other text);
  create function shop.items_v1(r shop.items_in) returns table (id bigint, name text) language plpgsql as $$ begin
    if r.id = 20 then perform pg_advisory_xact_lock(42); end if;
    return query select r.id, r.name;
  end $$;
  create function shop.items_v2(r shop.items_in2) returns table (id bigint, name text)
  language sql stable as $$ select r.id, upper(r.name) $$;
  create function shop.items_v3(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, upper(doc->>'name') $$;
  select sluice.define_pipeline(name => 'items', version => v, transform => 'shop.items_v' || v, target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => 'made up by the test'), activate => v = 1)
  from generate_series(1, 3) v;";

#[tokio::test(flavor = "multi_thread")]
async fn version_that_takes_something_else_is_followed_at_the_next_batch() {
    for version in [2, 3] {
        let db = TestDb::new().await;
        db.execute(VERSIONS).await;
        activate_in_the_middle(&db, version).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_by_document_and_by_row_are_compared() {
    let db = texts("items", ", retain_raw => '1 day'").await;
    Sluice::on(&db)
        .args(["run", "items", "--format", "ndjson"])
        .run_with_input(b"{\"id\":1,\"a\":1.50}\n{\"id\":2,\"a\":1e2}\n")
        .exits(0);
    db.execute(
        r#"create function shop.items_v2(doc jsonb) returns table (id bigint, a text, b text, "Spaced, ""name""" text)
           language sql stable as $$ select (doc->>'id')::bigint, doc->>'a', doc->>'b', doc->>'Spaced, "name"' $$;
           select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
             key => '{id}', source => sluice.file_source(path => '-'), activate => false);"#,
    )
    .await;
    assert_eq!(
        db.rows("select outcome_a, outcome_b, is_same, records, sample from sluice.compare('items', 1, 2)").await,
        [r#"unchanged|update|f|1|-:2 id=2: a "1e2" → "100""#, "unchanged|unchanged|t|1|-"]
    );
}

/// `sql/examples/prices.sql`, as its comments say it is used.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_loads_its_rows_and_sets_aside_what_it_says() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/examples/prices.sql");
    let sluice = |args: &[&str]| Sluice::on(&db).current_dir(folder.path()).args(args).run();
    for _ in 0..2 {
        sluice(&["apply", example]).exits(0);
    }
    std::fs::create_dir(folder.path().join("prices")).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join("prices").join(name), text).unwrap()
    };
    write(
        "1.csv",
        "valid_from,Unit Price,supplier,sku\n2026-03-01,9.90,north,a-1\n2026-03-01,,north,B-7\n2026-03-01,-1,north,c-3\n\
         01.03.2026,2,north,d-4\n2026-03-01,1,north,TEST\n",
    );
    let done = sluice(&["run", "prices", "--max-bad-ratio", "1"]).exits(0);
    let counts =
        ["extracted", "filtered", "quarantined", "inserted"].map(|name| done.summary().count(name));
    assert_eq!(counts, [5, 1, 3, 1], "{done:?}");
    assert_eq!(
        db.rows("select sku, valid_from, price from shop.prices").await,
        ["A-1|2026-03-01|9.90"]
    );
    assert_eq!(
        db.rows("select sqlstate, coalesce(constraint_name, column_name, message), convert_from(payload, 'UTF8')::json->>'supplier' from sluice.quarantine order by position").await,
        ["23502|price|north", "23514|prices_are_positive|north", "SL100|valid_from is not written as 2026-03-01|north"]
    );
    write("2.csv", "sku,price,valid_from\nx,1,2026-03-01\n");
    let refused = sluice(&["run", "prices"]).exits(1);
    assert!(refused.stderr.contains("lacks `Unit Price`"), "{refused:?}");
}
