//! What a session is set to, for its role or its database, changes nothing of what the engine does and says.

use crate::support::{Sluice, TestDb};

const TABLES: &str = r#"
create schema tour;
create table tour.items (
  id bigint primary key, at timestamptz, day date, raw bytea, ratio double precision, price numeric(12,3) check (price >= 0),
  span interval, tags text[], word text, doc jsonb, page xml, is_null boolean);
create function tour.items_v1(doc jsonb)
returns table (id bigint, at timestamptz, day date, raw bytea, ratio float8, price numeric, span interval, tags text[],
  word text, doc jsonb, page xml, is_null boolean) language sql stable as $$
  select (doc->>'id')::bigint, (doc->>'at')::timestamptz, (doc->>'day')::date, (doc->>'raw')::bytea,
    (doc->>'ratio')::float8, (doc->>'price')::numeric, (doc->>'span')::interval, (doc->>'tags')::text[], doc->>'word',
    jsonb_build_object('at', (doc->>'at')::timestamptz, 'span', (doc->>'span')::interval, 'raw', (doc->>'raw')::bytea,
      'ratio', (doc->>'ratio')::float8),
    xmlelement(name raw, (doc->>'raw')::bytea), (doc->>'none') = null $$;
create function tour.items_v2(doc jsonb)
returns table (id bigint, at timestamptz, day date, price numeric, word text) language sql stable as $$
  select (doc->>'id')::bigint, (doc->>'at')::timestamptz, (doc->>'day')::date + 1,
    replace(doc->>'price', ',', '.')::numeric, upper(doc->>'word') $$;
"#;

const RECORDS: &str = r#"{"id": 1, "at": "2026-03-01 08:00", "day": "01/02/2026", "raw": "\\x00ff27", "ratio": 0.1, "price": 12.5, "span": "1 day 02:03:04.5", "tags": "{a,NULL,\"b c\"}", "word": "it's \\ é"}
{"id": 2, "at": "2026-07-01 08:00 EST", "day": "2026-02-03", "raw": "\\000'", "ratio": 1e-300, "price": 0.125, "span": "-3 mons", "tags": "{}", "word": ""}
{"id": 3, "at": "2026-07-01T08:00:00Z", "day": "2026-02-03", "ratio": 0.30000000000000004, "price": "12,50", "word": "comma"}
{"id": 4, "at": "2026-07-01T08:00:00Z", "day": "2026-02-03", "price": -1, "word": "check"}
{"id": 5, "at": "31.12.2026 25:00", "day": "2026-02-03", "price": 1, "word": "time"}
{"id": 6, "at": "2026-07-01T08:00:00Z", "price": 7, "word": "mended"
"#;

/// Each is what some function of the interface answers, kept as a table.
const TOUR: [(&str, &str); 17] = [
    ("bad", "select id, sqlstate, \"column\", \"constraint\", message, detail, origin, position, payload
       from sluice.quarantine_open_details"),
    ("amended", "select sluice.amend(id, payload || '}', 'it was cut') from sluice.quarantine_open_details
       where position = 6"),
    ("replayed", "select * from sluice.replay('tour', filter => $f$ word_of(payload) $f$)"),
    ("compared", "select * from sluice.compare('tour', 1, 2)"),
    ("differing", "select origin, position, outcome_a, outcome_b, changes from sluice.compare_records('tour', 1, 2)"),
    ("retained", "select * from sluice.raw_records('tour')"),
    ("why", "select fact, value from sluice.why('tour', '1') where fact not in ('committed', 'run', 'by')"),
    ("why_bad", "select fact, regexp_replace(value, 'first seen .*', '') from sluice.why('tour', '3')"),
    ("edited", "with e as (update tour.items set word = 'by hand' where id = 2 returning 1) select * from e"),
    ("doubts", "select * from sluice.verify('tour', deep => true)"),
    ("found", "select * from sluice.reconcile('tour', '{edited}', 'as agreed')"),
    ("verified", "select * from sluice.verify('tour', deep => true)"),
    ("reloaded", "select * from sluice.reload('tour', from_batch => 0)"),
    ("rewound", "select batch, version, records, origins from sluice.preview_rewind('tour', to_start => true)"),
    ("erasable", "select * from sluice.erase('tour', '1', '{comma}', dry_run => true)"),
    ("started", "select epoch from sluice.start_delivery('tour', 'tour')"),
    (
        "sent",
        "select key, operation, body from sluice.claim_deliveries('tour', 1)",
    ),
];

/// Everything there is to do, done by a role of its own with these settings; what came of it, seen by another one.
async fn tour(role: &str, settings: &[&str]) -> Vec<String> {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("drop")).unwrap();
    std::fs::write(folder.path().join("drop/1.ndjson"), RECORDS).unwrap();
    db.execute(TABLES).await;
    db.execute(&format!(
        "drop role if exists {role}; create role {role} superuser login"
    ))
    .await;
    for setting in settings {
        db.execute(&format!(
            "alter role {role} in database {} set {setting}",
            db.name
        ))
        .await;
    }
    let hostile = db.seen_as(role);
    let define = |version: i32, rest: &str| {
        format!(
            "create table tour.t_defined_{version} as
             select sluice.define_pipeline(name => 'tour', version => {version}, transform => 'tour.items_v{version}',
               target => 'tour.items', key => '{{id}}', order_by => 'at', max_bad_ratio => 1, retain_raw => '7 days',
               deliver => sluice.http_delivery(url => 'https://crm.example/items/{{id}}'),
               source => sluice.file_source(path => 'drop', settle_seconds => 0) {rest})"
        )
    };
    hostile.execute(&define(1, "")).await;
    let run = Sluice::on(&hostile)
        .args(["run", "tour", "--allow-files", "*"])
        .current_dir(folder.path())
        .run()
        .exits(0);
    let mut answers = vec![run.stdout.split(" seconds=").next().unwrap().to_owned()];
    hostile.execute(&define(2, ", activate => false")).await;
    for (name, query) in TOUR {
        let query = query.replace("word_of(payload)", "payload like '%mended%'");
        hostile
            .execute(&format!(
                "begin isolation level read committed; create table tour.t_{name} as {query}; commit"
            ))
            .await;
    }
    let verified = Sluice::on(&hostile)
        .args(["verify", "tour", "--deep"])
        .run()
        .exits(0);
    // What is true of this server and this moment comes first.
    let checks = verified
        .stdout
        .lines()
        .skip_while(|line| !line.contains("cursor chain"));
    answers.extend(checks.map(str::to_owned));
    let plain = db.rows(
        "select c.relname from pg_class c where c.relnamespace = 'tour'::regnamespace and c.relname like 't\\_%'
         order by c.relname",
    );
    for table in plain.await.into_iter().chain(["items".to_owned()]) {
        let rows = db
            .rows(&format!(
                "select to_jsonb(t)::text from tour.{table} t order by 1"
            ))
            .await;
        answers.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
    }
    db.execute(&format!(
        "alter role {role} reset all; drop owned by {role} cascade; drop role {role}"
    ))
    .await;
    answers
}

#[tokio::test]
async fn every_answer_is_the_same_whatever_the_session_is_set_to() {
    let groups: [(&str, &[&str]); 8] = [
        (
            "plans",
            &[
                "enable_hashjoin = off",
                "plan_cache_mode = 'force_generic_plan'",
                "work_mem = '64kB'",
                "jit = off",
            ],
        ),
        (
            "dates",
            &[
                "datestyle = 'SQL, DMY'",
                "timezone = 'Asia/Kolkata'",
                "timezone_abbreviations = 'Australia'",
            ],
        ),
        (
            "texts",
            &[
                "intervalstyle = 'sql_standard'",
                "bytea_output = 'escape'",
                "extra_float_digits = -15",
                "xmlbinary = 'hex'",
                "xmloption = 'document'",
                "array_nulls = off",
                "quote_all_identifiers = on",
            ],
        ),
        (
            "quotes",
            &[
                "standard_conforming_strings = off",
                "backslash_quote = off",
                "escape_string_warning = on",
            ],
        ),
        (
            "nulls",
            &["transform_null_equals = on", "client_encoding = 'LATIN1'"],
        ),
        (
            "names",
            &[
                "search_path = ''",
                "check_function_bodies = off",
                "default_tablespace = ''",
                "temp_tablespaces = ''",
                "row_security = off",
            ],
        ),
        (
            "transactions",
            &[
                "default_transaction_isolation = 'serializable'",
                "default_transaction_deferrable = on",
                "statement_timeout = '5min'",
                "lock_timeout = '1min'",
                "idle_in_transaction_session_timeout = '1min'",
                "idle_session_timeout = '1min'",
            ],
        ),
        (
            "triggers",
            &[
                "session_replication_role = 'replica'",
                "client_min_messages = 'debug1'",
                "default_toast_compression = 'pglz'",
                "default_text_search_config = 'german'",
            ],
        ),
    ];
    let plain = tour("tour_plain", &[]).await;
    // Each place of the fixture is there, or the rest proves nothing.
    for told in [
        "quarantined=4",
        "by hand",
        "2026-01-02",
        "ok: ",
        "22P02",
        "23514",
        "upsert",
    ] {
        assert!(
            plain.iter().any(|line| line.contains(told)),
            "no {told} in {plain:#?}"
        );
    }
    let mut differences = Vec::new();
    for (name, settings) in groups {
        let role = format!("tour_{}", name.replace(' ', "_"));
        let found = tour(&role, settings).await;
        let differ = plain
            .iter()
            .zip(&found)
            .filter(|(plain, found)| plain != found);
        differences.extend(differ.map(|(plain, found)| format!("{name}\n  {plain}\n  {found}")));
        assert_eq!(plain.len(), found.len(), "{name}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
