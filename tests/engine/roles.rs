//! Who may do what.

use super::{Hand, items_of_ids};
use crate::support::TestDb;
use crate::support::db::rows;
use pgsluice::db::Session;

/// Members of the engine's roles, and a user who is neither.
async fn shop() -> TestDb {
    let db = items_of_ids().await;
    for (role, of) in [
        ("engine_reader", "in role sluice_reader"),
        ("engine_operator", "in role sluice_operator"),
        ("engine_nobody", ""),
    ] {
        db.execute(&format!(
            "do $$ begin if not exists (select from pg_roles where rolname = '{role}') then create role {role} {of}; end if;
             exception when duplicate_object or unique_violation then null; end $$"
        ))
        .await;
    }
    Hand::start(&db).await.load(&[r#"{"id": 1}"#, "bad"]).await;
    db
}

async fn become_role(db: &TestDb, role: &str) -> Session {
    let session = db.connect().await;
    session.batch_execute(&format!("set role {role}")).await.unwrap();
    session
}

async fn code(session: &Session, sql: &str) -> String {
    match session.batch_execute(sql).await {
        Ok(()) => "done".to_owned(),
        Err(error) => super::Problem::of(&error).code,
    }
}

#[tokio::test]
async fn reader_reads_the_views_and_changes_nothing() {
    let db = shop().await;
    let reader = become_role(&db, "engine_reader").await;
    for view in ["status", "quarantine_open", "quarantine_by_error"] {
        assert_eq!(
            rows(&reader, &format!("select count(*) from sluice.{view}")).await,
            ["1"],
            "{view}"
        );
    }
    for sql in [
        "select sluice.pause_pipeline('items')",
        "select sluice.discard('items', reason => 'x', all_open => true)",
        "select sluice.rewind('items', to_start => true)",
        "select * from sluice.begin_batch('items')",
        "select * from sluice.start_run('items', 'me')",
        "update sluice.etl_state set cursor = null",
        "delete from sluice.quarantine",
        "insert into sluice.pipelines (name) values ('x')",
    ] {
        assert_eq!(code(&reader, sql).await, "42501", "{sql}");
    }
}

#[tokio::test]
async fn public_sees_nothing_but_may_own_a_transform_that_rejects() {
    let db = shop().await;
    let nobody = become_role(&db, "engine_nobody").await;
    for sql in [
        "select * from sluice.status",
        "select * from sluice.quarantine_open_details",
        "select * from sluice.pipelines",
        "select sluice.file_source(path => '-')",
        "select sluice.pause_pipeline('items')",
        "select sluice._lock_class('batch')",
        "create function sluice.mine() returns integer language sql as 'select 1'",
        "create table sluice.mine ()",
    ] {
        assert_eq!(code(&nobody, sql).await, "42501", "{sql}");
    }
    assert_eq!(code(&nobody, "select sluice.reject('no')").await, "SL100");
}

#[tokio::test]
async fn operator_defines_runs_and_mends() {
    let db = shop().await;
    db.execute(
        "grant usage, create on schema shop to engine_operator;
         set role engine_operator;
         create table shop.mine (id bigint primary key);
         select sluice.define_pipeline(name => 'mine', version => 1, transform => 'shop.items_v1', target => 'shop.mine', key => '{id}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1);",
    )
    .await;
    let mut hand = Hand::of(become_role(&db, "engine_operator").await, "mine").await;
    assert_eq!(
        hand.load(&[r#"{"id": 1}"#, "bad"]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
    for sql in [
        "select sluice.finish_run(2, 'ok')",
        "select sluice.pause_pipeline('mine')",
        "select sluice.resume_pipeline('mine')",
        "select sluice.activate_version('mine', 1)",
        "select sluice.discard('mine', reason => 'x', all_open => true)",
        "select sluice.rewind('mine', to_start => true)",
        "select sluice.merge_sql('mine')",
        "select * from sluice.verify('mine')",
        "select * from sluice.status",
        "select sluice.drop_pipeline('mine')",
    ] {
        assert_eq!(code(&hand.session, sql).await, "done", "{sql}");
    }
    // The engine itself is its owner's.
    for sql in [
        "update sluice.engine set version = '9'",
        "drop function sluice.rewind",
        "drop table sluice.batches",
    ] {
        assert_eq!(code(&hand.session, sql).await, "42501", "{sql}");
    }
}

/// Functions of the engine that run under the search path of their caller, and why.
const UNPINNED: [&str; 9] = [
    "_all_batches",     // the same
    "_batch_arrivals",  // becomes part of queries, which a function with settings cannot
    "_holders",         // becomes part of the query of a view
    "_is_member_of",    // is called for rows, and qualifies what it names
    "_prepare",         // reads a statement as its caller means it
    "_run_totals",      // becomes part of the query of a view
    "_staged",          // becomes part of queries, and qualifies what it names
    "_staged_payloads", // the same
    "define_pipeline",  // hands its caller's path on, and does nothing else
];

#[tokio::test]
async fn functions_pin_their_search_path_are_commented_and_closed_to_the_public() {
    let db = TestDb::new().await;
    let functions = "from pg_proc p where p.pronamespace = 'sluice'::regnamespace";
    assert_eq!(
        db.rows(&format!(
            "select proname {functions} and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false) order by 1"
        ))
        .await,
        UNPINNED
    );
    for (rule, broken) in [
        (
            "a comment on what users call",
            "obj_description(p.oid, 'pg_proc') is null and proname not like '\\_%'",
        ),
        ("no md5, which strict servers (FIPS) refuse", "p.prosrc ~* '\\mmd5\\M'"),
        (
            "no rights for the public",
            "has_function_privilege('public', p.oid, 'execute') and p.proname <> 'reject'",
        ),
        (
            "the rights of its caller",
            "p.prosecdef and p.prorettype <> 'trigger'::regtype and proname <> '_pass_batch_id'",
        ),
        (
            "row security, which guards the engine's own tables",
            "'row_security=off' = any (p.proconfig)",
        ),
        (
            "parameters named p_ inside, and plainly outside",
            "exists (select from unnest(p.proargnames[:p.pronargs]) n where (n like 'p\\_%') <> (p.proname like '\\_%'))",
        ),
    ] {
        assert_eq!(
            db.rows(&format!("select p.oid::regprocedure {functions} and {broken} order by 1"))
                .await,
            Vec::<String>::new(),
            "without {rule}"
        );
    }
    for (kind, sql) in [
        (
            "relation",
            "select relname from pg_class where relnamespace = 'sluice'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null and relname <> 'refinery_schema_history'",
        ),
        (
            "open relation",
            "select relname from pg_class where relnamespace = 'sluice'::regnamespace and relkind in ('r', 'v') and has_table_privilege('public', oid, 'select')",
        ),
    ] {
        assert_eq!(db.rows(sql).await, Vec::<String>::new(), "{kind}");
    }
}

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/rights.txt");

#[tokio::test]
async fn rights_on_every_function_are_the_golden_ones() {
    let db = TestDb::new().await;
    let found = db
        .rows(
            "select format('%s %s', case
               when has_function_privilege('public', p.oid, 'execute') then 'public'
               when has_function_privilege('sluice_reader', p.oid, 'execute') then 'reader'
               when has_function_privilege('sluice_operator', p.oid, 'execute') then 'operator'
               else 'owner' end, p.proname)
             from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%' order by 1",
        )
        .await
        .join("\n")
        + "\n";
    if std::env::var_os("SLUICE_REFRESH_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &found).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(GOLDEN).unwrap_or_default(),
        found,
        "if that is meant: SLUICE_REFRESH_GOLDEN=1 cargo test --test main rights_on_every_function"
    );
    // Of the others, readers may call what has their own rights and no more.
    assert_eq!(
        db.rows(
            "select p.proname from pg_proc p where p.pronamespace = 'sluice'::regnamespace and p.proname like '\\_%'
               and p.prosecdef = has_function_privilege('sluice_reader', p.oid, 'execute') order by 1",
        )
        .await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn reader_asks_why_compares_and_sees_the_doctor() {
    let db = shop().await;
    db.execute(
        "grant usage on schema shop to engine_reader; grant select on shop.items to engine_reader;
         create function shop.items_v2(doc jsonb) returns table (id bigint) language sql stable as $$ select 2 * (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'), activate => false);",
    )
    .await;
    let reader = become_role(&db, "engine_reader").await;
    for sql in [
        "select * from sluice.why('items', '{\"id\": 1}')",
        "select * from sluice.compare('items', 1, 2)",
        "select * from sluice.compare_records('items', 1, 2)",
        "select * from sluice.doctor()",
        "select sluice.merge_sql('items')",
        "select * from sluice.verify('items')",
    ] {
        assert_eq!(code(&reader, sql).await, "done", "{sql}");
    }
    assert_eq!(
        rows(
            &reader,
            "select verdict, detail from sluice.doctor() where \"check\" = 'pipeline items'"
        )
        .await,
        ["ok|not checked: engine_reader may not run it"]
    );
}

#[test]
fn the_loader_calls_public_functions_only() {
    // But for the installer, which grants rights and holds the door.
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.starts_with("src/install") {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                found.extend(
                    text.lines()
                        .filter(|line| line.contains("sluice._"))
                        .map(|line| format!("{}: {}", path.display(), line.trim())),
                );
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
