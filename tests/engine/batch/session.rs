//! What a session has of its own must not reach a batch, nor a batch what others do in the session.

use crate::engine::{Hand, numbers, problem};
use crate::support::TestDb;
use crate::support::db::rows;

async fn shop() -> TestDb {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db
}

fn record(id: i64, n: i64) -> String {
    format!(r#"{{"id": {id}, "n": {n}}}"#)
}

/// Names without a schema mean the built-in types, as nothing can stand before them.
#[tokio::test]
async fn types_of_the_sessions_own_schema_are_not_taken_for_built_in_ones() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    for name in
        ["text", "jsonb", "bytea", "uuid", "tid", "xid", "timestamptz", "name", "oid", "regclass"]
    {
        hand.session
            .batch_execute(&format!(
                "create domain pg_temp.{name} as pg_catalog.int4 check (false)"
            ))
            .await
            .unwrap();
    }
    assert_eq!(
        hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": "x"}"#]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
}

/// A loader that runs across an upgrade, or a session that a pooler keeps.
#[tokio::test]
async fn session_with_the_temporary_tables_of_another_engine_gets_new_ones() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    for (n, upgrade) in [
        "update sluice.engine set bundle_sha256 = 'newer'",
        "comment on table pg_temp.sluice_batch is null",
    ]
    .iter()
    .enumerate()
    {
        hand.load(&[record(n as i64, 1)]).await;
        hand.session
            .batch_execute(&format!(
                "alter table pg_temp.sluice_faults drop column detail; alter table pg_temp.sluice_rows drop column sluice_hash; {upgrade}"
            ))
            .await
            .unwrap();
        assert_eq!(
            hand.load(&[record(10 + n as i64, 1), r#"{"id": 2, "n": "x"}"#.into()]).await,
            "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1",
            "{upgrade}"
        );
    }
}

/// As behind a pooler that hands one session to several loaders.
#[tokio::test]
async fn pipelines_in_turns_on_one_session_are_compiled_once_and_leave_the_catalog_alone() {
    let db = shop().await;
    db.execute(
        "create table shop.other (id bigint primary key, name text, price numeric);
         create function shop.other_v1(doc jsonb) returns table (id bigint, name text, price numeric)
         language sql stable as $$ select (doc->>'id')::bigint, doc->>'name', (doc->>'price')::numeric $$;
         select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.other_v1', target => 'shop.other',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, key => '{id}')",
    )
    .await;
    let mut loaders = [Hand::start(&db).await, Hand::of(db.connect().await, "other").await];
    let mut session = Some(db.connect().await);
    session.as_ref().unwrap().batch_execute("set track_functions = 'all'").await.unwrap();
    let held = "select (select count(*) from pg_class where relnamespace = pg_my_temp_schema()),
         (select string_agg(oid::text, ',' order by oid) from pg_class where relnamespace = pg_my_temp_schema()),
         (select count(*) from pg_attribute join pg_class c on c.oid = attrelid where relnamespace = pg_my_temp_schema())";
    let mut made = Vec::new();
    for round in 0..4 {
        for hand in &mut loaders {
            std::mem::swap(&mut hand.session, session.as_mut().unwrap());
            hand.load(&[format!(r#"{{"id": {round}, "n": 1, "name": "a", "price": 1.5}}"#)]).await;
            std::mem::swap(&mut hand.session, session.as_mut().unwrap());
        }
        let session = session.as_ref().unwrap();
        made.push(rows(session, held).await);
        let flush = "select pg_stat_force_next_flush()";
        session.batch_execute(flush).await.unwrap();
        assert_eq!(
            rows(session, "select calls from pg_stat_user_functions where funcname = '_compile'")
                .await,
            ["2"],
            "each once, in round {round}"
        );
    }
    assert_eq!(made[0], made[3], "relations of the session");
    assert_eq!(
        db.rows("select n, name from (select count(*) as n, 'items' as name from shop.items union all select count(*), 'other' from shop.other) c order by 2")
            .await,
        ["4|items", "4|other"]
    );
}

#[tokio::test]
async fn session_keeps_a_bounded_number_of_pipelines() {
    let db = TestDb::new().await;
    db.execute("create schema shop").await;
    for n in 0..12 {
        db.execute(&format!(
            "create table shop.t{n} (id bigint primary key, n{n} integer);
             create function shop.t{n}_v1(doc jsonb) returns table (id bigint, n{n} integer)
             language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::integer $$;
             select sluice.define_pipeline(name => 't{n}', version => 1, transform => 'shop.t{n}_v1', target => 'shop.t{n}',
               source => sluice.file_source(path => '-'), key => '{{id}}')"
        ))
        .await;
    }
    let session = db.connect().await;
    for n in (0..12).chain(0..12) {
        session
            .batch_execute(&format!(
                "begin; select from sluice.begin_batch('t{n}'); select n{n} from pg_temp.sluice_rows; commit"
            ))
            .await
            .unwrap();
    }
    assert_eq!(
        rows(
            &session,
            "select count(*) from pg_class where relnamespace = pg_my_temp_schema() and relname like 'sluice\\_rows%' and relkind = 'r'"
        )
        .await,
        ["8"]
    );
}

#[tokio::test]
async fn other_isolation_levels_than_read_committed_are_refused() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": "x"}"#]).await;
    for level in ["repeatable read", "serializable"] {
        for call in [
            "sluice.begin_batch('items')",
            "sluice.replay('items')",
            "sluice.compare('items', 1, 1)",
        ] {
            let refused =
                problem(&db, &format!("begin isolation level {level}; select * from {call}")).await;
            refused.is("SL002", &format!("isolation level {level}"));
            assert!(refused.hint.contains("read committed"), "{refused:?}");
        }
    }
}

/// The engine pins the plan of its merge, and its settings stay out of the triggers' sight.
#[tokio::test]
async fn triggers_of_the_target_see_the_planner_settings_of_the_session() {
    let db = shop().await;
    db.execute(
        "create table shop.seen (op text, setting text);
         create function shop.look() returns trigger language plpgsql as $$ begin
           if new.n < 0 then
             raise exception 'negative: %', (
               select string_agg(current_setting(s), ' ') from unnest('{enable_hashjoin,enable_mergejoin,enable_nestloop,jit}'::text[]) s);
           end if;
           insert into shop.seen select tg_when || ' ' || tg_op || ' ' || s, current_setting(s)
           from unnest('{enable_hashjoin,enable_mergejoin,enable_nestloop,enable_seqscan,enable_bitmapscan,jit}'::text[]) s;
           return new;
         end $$;
         create trigger before_row before insert or update on shop.items for each row execute function shop.look();
         create trigger after_row after insert or update on shop.items for each row execute function shop.look();",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.session.batch_execute("set jit = on").await.unwrap();
    hand.load(&[record(1, 1), record(2, 2)]).await;
    // One new, one changed, one bad: the merge, and its trials.
    hand.load(&[record(1, 2), record(3, 1), record(4, -1)]).await;
    assert_eq!(
        db.rows("select distinct op, setting from shop.seen where setting <> 'on'").await,
        Vec::<String>::new()
    );
    assert_eq!(
        db.rows("select distinct op from shop.seen where op like '%jit' order by 1").await,
        ["AFTER INSERT jit", "AFTER UPDATE jit", "BEFORE INSERT jit", "BEFORE UPDATE jit"]
    );
    assert_eq!(db.rows("select message from sluice.quarantine").await, ["negative: on on on on"]);
    // One that writes to the same table: the statistics do not tell its rows from those of the merge.
    db.execute(
        "create function shop.copy() returns trigger language plpgsql as $$ begin
           insert into shop.items (id, n) values (new.id + 1000, 0) on conflict do nothing;
           return new;
         end $$;
         create trigger copy after update on shop.items for each row when (new.id < 1000) execute function shop.copy();",
    )
    .await;
    assert_eq!(
        hand.load(&[record(1, 3), record(2, 3)]).await,
        "extracted=2 transformed=2 produced=2 updated=2"
    );
    assert_eq!(db.value("select count(*) from shop.items where id > 1000").await, "2");
}

/// Temporary tables without statistics look large enough for it, and it takes longer than all the rest.
#[tokio::test]
async fn opening_a_batch_compiles_no_machine_code() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.session.batch_execute("set jit = on").await.unwrap();
    let compiled = "select pg_read_file('/proc/self/maps') ~ 'llvmjit'";
    for id in 1..3 {
        hand.load(&[record(id, 1)]).await;
        assert_eq!(rows(&hand.session, compiled).await, ["f"]);
    }
    hand.session.batch_execute("set jit_above_cost = 0").await.unwrap();
    let available = rows(&hand.session, "select pg_jit_available()").await;
    assert_eq!(rows(&hand.session, compiled).await, available);
}
