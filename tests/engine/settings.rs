//! What a session is set to, for its role or its database, changes nothing of what the engine does and says.

use crate::support::server::TestServer;
use crate::support::{Sluice, TestDb};
use pgsluice::embedded;
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

const TABLES: &str = r#"
create schema tour;
create table tour.items (
  id bigint primary key, at timestamptz, day date, raw bytea, ratio double precision, price numeric(12,3) check (price >= 0),
  span interval, tags text[], word text, doc jsonb, page xml, is_null boolean, notes xml);
create function tour.items_v1(doc jsonb)
returns table (id bigint, at timestamptz, day date, raw bytea, ratio float8, price numeric, span interval, tags text[],
  word text, doc jsonb, page xml, is_null boolean, notes xml) language sql stable as $$
  select (doc->>'id')::bigint, (doc->>'at')::timestamptz, (doc->>'day')::date, (doc->>'raw')::bytea,
    (doc->>'ratio')::float8, (doc->>'price')::numeric, (doc->>'span')::interval, (doc->>'tags')::text[], doc->>'word',
    jsonb_build_object('at', (doc->>'at')::timestamptz, 'span', (doc->>'span')::interval, 'raw', (doc->>'raw')::bytea,
      'ratio', (doc->>'ratio')::float8),
    xmlelement(name raw, (doc->>'raw')::bytea), (doc->>'none') = null, (doc->>'notes')::xml $$;
create function tour.items_v2(doc jsonb)
returns table (id bigint, at timestamptz, day date, price numeric, word text) language sql stable as $$
  select (doc->>'id')::bigint, (doc->>'at')::timestamptz, (doc->>'day')::date + 1,
    replace(doc->>'price', ',', '.')::numeric, upper(doc->>'word') $$;
"#;

const RECORDS: &str = r#"{"id": 1, "at": "2026-03-01 08:00", "day": "01/02/2026", "raw": "\\x00ff27", "ratio": 0.1, "price": 12.5, "span": "1 day 02:03:04.5", "tags": "{a,NULL,\"b c\"}", "word": "it's \\ é", "notes": "<p>a</p><p>b</p>"}
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
    ("why", "select fact, regexp_replace(value, '^unsent since [^,]*, ', '') as value from sluice.why('tour', '1') where fact not in ('committed', 'run', 'by')"),
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
async fn tour(db: TestDb, role: &str, settings: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("drop")).unwrap();
    std::fs::write(folder.path().join("drop/1.ndjson"), RECORDS).unwrap();
    db.execute(TABLES).await;
    db.execute(&format!("drop role if exists {role}; create role {role} superuser login")).await;
    for setting in settings {
        db.execute(&format!("alter role {role} in database {} set {setting}", db.name)).await;
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
    let verified = Sluice::on(&hostile).args(["verify", "tour", "--deep"]).run().exits(0);
    // What is true of this server and this moment comes first.
    let checks = verified.stdout.lines().skip_while(|line| !line.contains("cursor chain"));
    answers.extend(checks.map(str::to_owned));
    let plain = db.rows(
        "select c.relname from pg_class c where c.relnamespace = 'tour'::regnamespace and c.relname like 't\\_%'
         order by c.relname",
    );
    for table in plain.await.into_iter().chain(["items".to_owned()]) {
        let rows =
            db.rows(&format!("select to_jsonb(t)::text from tour.{table} t order by 1")).await;
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
    let groups: [(&str, &[&str]); 11] = [
        (
            "joins",
            &[
                "enable_nestloop = off",
                "enable_mergejoin = off",
                "enable_material = off",
                "jit = off", // by what such plans seem to cost, all of them would be compiled
            ],
        ),
        (
            "scans",
            &[
                "enable_seqscan = off",
                "enable_bitmapscan = off",
                "enable_sort = off",
                "enable_hashagg = off",
            ],
        ),
        (
            "code",
            &[
                "plpgsql.variable_conflict = 'use_variable'",
                "plpgsql.check_asserts = off",
                "plpgsql.extra_errors = 'all'",
                "max_stack_depth = '1MB'",
            ],
        ),
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
        ("nulls", &["transform_null_equals = on", "client_encoding = 'LATIN1'"]),
        (
            "names",
            &[
                "search_path = ''",
                "check_function_bodies = off",
                "default_tablespace = 'tour'",
                "temp_tablespaces = 'tour'",
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
    let admin = TestDb::empty().await.connect().await;
    for sql in ["set allow_in_place_tablespaces = on", "create tablespace tour location ''"] {
        admin.batch_execute(sql).await.unwrap();
    }
    let plain = tour(TestDb::new().await, "tour_plain", &[]).await;
    // Each place of the fixture is there, or the rest proves nothing.
    for told in ["quarantined=4", "by hand", "2026-01-02", "ok: ", "22P02", "23514", "upsert"] {
        assert!(plain.iter().any(|line| line.contains(told)), "no {told} in {plain:#?}");
    }
    let mut differences = Vec::new();
    for (name, settings) in groups {
        let role = format!("tour_{}", name.replace(' ', "_"));
        let found = tour(TestDb::new().await, &role, settings).await;
        let differ = plain.iter().zip(&found).filter(|(plain, found)| plain != found);
        differences.extend(differ.map(|(plain, found)| format!("{name}\n  {plain}\n  {found}")));
        assert_eq!(plain.len(), found.len(), "{name}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// With its messages in German; none, said aloud, where the machine has no German locale to make or no messages.
fn german() -> Option<(TestServer, tempfile::TempDir)> {
    let server = TestServer::start();
    let share = |name: &str| std::path::Path::new("/usr/share").join(name);
    let messages = format!("locale/de/LC_MESSAGES/postgres-{}.mo", server.server.major);
    let locales = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    let made = Command::new("localedef")
        .args(["-i", "de_DE", "-f", "UTF-8"])
        .arg(locales.path().join("de_DE.UTF-8"))
        .output();
    // It warns, and says so by its exit code.
    if !share(&messages).exists() || made.is_err() || !locales.path().join("de_DE.UTF-8").exists() {
        eprintln!(
            "SKIPPED, NOT TESTED: no German for the server: localedef, de_DE, /usr/share/{messages}"
        );
        return None;
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(locales.path(), open).unwrap();
    // The same command line, and where the locale is.
    let (data, owner) = (server.data(), std::fs::metadata(server.data()).unwrap());
    let options = std::fs::read_to_string(data.join("postmaster.opts")).unwrap();
    embedded::at(&server.home).stop().unwrap();
    let mut postmaster = Command::new("sh");
    postmaster
        .args([
            "-c",
            &format!(
                "{} -c lc_messages=de_DE.UTF-8 >server.log 2>&1 </dev/null &",
                options.trim_end()
            ),
        ])
        .env("LOCPATH", locales.path())
        .current_dir(data.parent().unwrap());
    if nix::unistd::geteuid().is_root() {
        postmaster.uid(owner.uid()).gid(owner.gid());
    }
    assert!(postmaster.status().unwrap().success());
    while !std::fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|pid| pid.contains("ready"))
    {
        std::thread::yield_now();
    }
    Some((server, locales))
}

/// A line of the tour without the words of the server.
fn without_messages(line: &str) -> String {
    let Some((table, Ok(mut row))) =
        line.split_once(": ").map(|(table, row)| (table, serde_json::from_str::<Value>(row)))
    else {
        return line.to_owned();
    };
    for name in ["message", "detail", "error_a", "error_b", "sample", "regexp_replace"] {
        // Those of verify are sluice's own.
        let is_ours = name == "detail" && table != "t_bad";
        if let Some(text) = row.get_mut(name).filter(|_| !is_ours) {
            *text = Value::Null;
        }
    }
    format!("{table}: {row}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_answer_is_the_same_in_whatever_language_the_server_speaks() {
    let Some((server, _locales)) = german() else {
        return;
    };
    let db = TestDb::of(&server, "sluice");
    pgsluice::install::migrate(&db.connector()).await.unwrap();
    let german = tour(db, "tour_german", &[]).await;
    let said = "ungültige Eingabesyntax für Typ";
    assert!(german.iter().any(|line| line.contains(said)), "{german:#?}");
    let plain = tour(TestDb::new().await, "tour_english", &[]).await;
    let only = |these: &[String], others: &[String]| -> Vec<String> {
        let others: Vec<_> = others.iter().map(|line| without_messages(line)).collect();
        let these = these.iter().map(|line| without_messages(line));
        these.filter(|line| !others.contains(line)).collect()
    };
    assert_eq!(only(&german, &plain), only(&plain, &german));
}

/// On a standby it waits, as that may become the primary; here it would wait for nothing.
#[tokio::test]
async fn role_that_only_reads_is_told_so_at_once() {
    let db = TestDb::new().await;
    let role = format!("only_reads_{}", db.name);
    db.execute(&format!(
        "create schema shop; create table shop.items (id bigint primary key);
         create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{{id}}', source => sluice.file_source(path => '-'),
           deliver => sluice.http_delivery(url => 'https://crm.example/items/{{id}}'));
         create role {role} superuser login; alter role {role} set default_transaction_read_only = on"
    ))
    .await;
    let bad = tempfile::NamedTempFile::with_suffix(".ndjson").unwrap();
    std::fs::write(bad.path(), "{}\n").unwrap();
    let run = Sluice::on(&db).args(["run", "items", "--max-bad-ratio", "1", "--path"]);
    run.args([bad.path()]).run().exits(0);
    for args in [&["run", "items"][..], &["deliver", "items"], &["replay", "items"]] {
        let done = Sluice::on(&db.seen_as(&role)).args(args).run().exits(1);
        let told = format!(
            "error: 42501 transactions of {role} begin read only here, by default_transaction_read_only"
        );
        assert!(done.stderr.contains(&told), "{done:?}");
        let next = format!("next:  alter role {role} set default_transaction_read_only = off");
        assert!(done.stderr.contains(&next), "{done:?}");
        assert!(!done.stderr.contains("is tried again"), "{done:?}");
    }
    db.execute(&format!("drop role {role}")).await;
}

/// Postgres then refuses tables with policies, such as the engine's, as if a right were missing.
#[tokio::test]
async fn role_with_row_security_off_is_told_what_to_reset() {
    let db = TestDb::new().await;
    let role = format!("sees_all_{}", db.name);
    db.execute(&format!(
        "create role {role} login in role sluice_operator; alter role {role} set row_security = off"
    ))
    .await;
    let done = Sluice::on(&db.seen_as(&role)).args(["run", "items"]).run().exits(1);
    assert!(done.stderr.contains("error: 42501 "), "{done:?}");
    assert!(done.stderr.contains("next:  the role has row_security = off"), "{done:?}");
    db.execute(&format!("drop role {role}")).await;
}
