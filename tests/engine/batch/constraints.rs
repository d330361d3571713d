//! Every rule a table can have decides over records, one at a time.

use crate::engine::{Hand, items, numbers, problem};
use crate::support::TestDb;
use crate::support::db::rows;

/// Loads records, each with the verdict it gets: `-` for loaded, else SQLSTATE, column and constraint.
async fn judges(db: &TestDb, expected: &[(&str, &str)]) {
    let records: Vec<&str> = expected.iter().map(|(record, _)| *record).collect();
    Hand::start(db).await.load(&records).await;
    let faults = db
        .rows("select position, concat_ws(' ', sqlstate, \"column\", \"constraint\") from sluice.quarantine_open_details")
        .await;
    for (position, (record, verdict)) in (1..).zip(expected) {
        let fault = faults.iter().find_map(|fault| fault.strip_prefix(&format!("{position}|")));
        assert_eq!(fault.unwrap_or("-"), *verdict, "{record}");
    }
}

#[tokio::test]
async fn not_null_and_checks_name_column_and_constraint() {
    let db = TestDb::new().await;
    numbers(&db, "not null constraint n_is_small check (n < 100), constraint pair check (id <> n),
         constraint inverse_is_small check (1000 / n < 900), constraint never check (case when n = 50 then false end is not false)").await;
    judges(
        &db,
        &[
            (r#"{"id": 1, "n": 2}"#, "-"),
            (r#"{"id": 2}"#, "23502 n"),
            (r#"{"id": 3, "n": 100}"#, "23514 n n_is_small"),
            (r#"{"id": 4, "n": 4}"#, "23514 pair"),
            (r#"{"id": 5, "n": 0}"#, "22012"),
            (r#"{"id": 6, "n": 1}"#, "23514 n inverse_is_small"),
            (r#"{"id": 7, "n": 50}"#, "23514 n never"),
            (r#"{"id": 8, "n": 3}"#, "-"),
        ],
    )
    .await;
}

#[tokio::test]
async fn checks_the_transform_cannot_see_are_left_to_the_merge() {
    let db = TestDb::new().await;
    numbers(&db, ", cap integer default 10, twice integer generated always as (n * 2) stored,
         constraint below_cap check (n < cap), constraint twice_is_small check (twice < 10), constraint whole_row check (items.* is null or id > 0), constraint constant check (1 = 1)").await;
    judges(
        &db,
        &[
            (r#"{"id": 1, "n": 2}"#, "-"),
            (r#"{"id": 2, "n": 11}"#, "23514 below_cap"),
            (r#"{"id": 3, "n": 6}"#, "23514 twice_is_small"),
            (r#"{"id": -1, "n": 1}"#, "23514 whole_row"),
        ],
    )
    .await;
}

#[tokio::test]
async fn foreign_keys_deferred_and_composite_included() {
    for timing in ["", "deferrable initially deferred"] {
        let db = TestDb::new().await;
        db.execute("create schema shop; create table shop.parents (a integer, b integer, primary key (a, b)); insert into shop.parents values (1, 2)").await;
        items(
            &db,
            &format!("id bigint primary key, n integer, m integer, constraint parent foreign key (m, n) references shop.parents (b, a) {timing}"),
            "id bigint, n integer, m integer",
            "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'m')::integer",
            "key => '{id}'",
        )
        .await;
        judges(
            &db,
            &[
                (r#"{"id": 1, "n": 1, "m": 2}"#, "-"),
                (r#"{"id": 2, "n": 2, "m": 1}"#, "23503 parent"),
                (r#"{"id": 3, "n": 7}"#, "-"),
            ],
        )
        .await;
        let fault = db.value("select message, detail from sluice.quarantine_open_details").await;
        assert_eq!(
            fault,
            "insert or update on table \"items\" violates foreign key constraint \"parent\"|Key (m, n)=(1, 2) is not present in table \"parents\"."
        );
    }
}

#[tokio::test]
async fn foreign_key_the_transform_does_not_fill_is_left_to_the_merge() {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.parents (p integer primary key)").await;
    numbers(&db, ", p integer default 5 constraint parent references shop.parents").await;
    judges(&db, &[(r#"{"id": 1}"#, "23503 parent")]).await;
    db.execute("insert into shop.parents values (5)").await;
    assert_eq!(
        Hand::start(&db).await.load(&[r#"{"id": 2}"#]).await,
        "extracted=1 transformed=1 produced=1 inserted=1"
    );
}

#[tokio::test]
async fn parent_in_the_same_batch_counts_wherever_it_stands() {
    let db = TestDb::new().await;
    numbers(&db, "constraint parent references shop.items").await;
    judges(
        &db,
        &[
            (r#"{"id": 2, "n": 1}"#, "-"),
            (r#"{"id": 1}"#, "-"),
            (r#"{"id": 3, "n": 3}"#, "-"),
            (r#"{"id": 4, "n": 99}"#, "23503 n parent"),
            // Its parent is in the batch, but bad itself; so is the parent of the next.
            (r#"{"id": 5, "n": 4}"#, "23503 parent"),
            (r#"{"id": 6, "n": 5}"#, "23503 parent"),
        ],
    )
    .await;
}

#[tokio::test]
async fn parent_that_arrives_between_transform_and_load_counts() {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.parents (n integer primary key)").await;
    numbers(&db, "references shop.parents").await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#, r#"{"id": 1, "n": 1}"#])
        .await
        .unwrap();
    hand.transform().await.unwrap();
    db.execute("insert into shop.parents values (1)").await;
    assert_eq!(
        hand.merge().await.unwrap(),
        "extracted=3 transformed=2 quarantined=1 produced=2 inserted=1 superseded=1"
    );
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(db.rows("select id from shop.items").await, ["1"]);
}

#[tokio::test]
async fn second_unique_constraint_holds_against_table_and_batch() {
    for timing in ["", "deferrable initially deferred"] {
        let db = TestDb::new().await;
        numbers(&db, &format!("constraint n_is_unique unique {timing}")).await;
        db.execute("insert into shop.items values (100, 100)").await;
        judges(
            &db,
            &[
                (r#"{"id": 1, "n": 1}"#, "-"),
                (r#"{"id": 2, "n": 100}"#, "23505 n_is_unique"),
                (r#"{"id": 3, "n": 1}"#, "23505 n_is_unique"),
                (r#"{"id": 4, "n": 4}"#, "-"),
                (r#"{"id": 5}"#, "-"),
                (r#"{"id": 6}"#, "-"),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn exclusion_constraint_quarantines_the_later_record() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n int4range, constraint no_overlap exclude using gist (n with &&)",
        "id bigint, n int4range",
        "(doc->>'id')::bigint, (doc->>'n')::int4range",
        "key => '{id}'",
    )
    .await;
    judges(
        &db,
        &[
            (r#"{"id": 1, "n": "[1,5)"}"#, "-"),
            (r#"{"id": 2, "n": "[4,6)"}"#, "23P01 no_overlap"),
            (r#"{"id": 3, "n": "[5,6)"}"#, "-"),
        ],
    )
    .await;
}

#[tokio::test]
async fn raise_of_any_trigger_quarantines_its_record() {
    for (kind, timing) in [
        ("", "before insert or update"),
        ("", "after insert or update"),
        ("constraint", "after insert or update"),
        ("constraint", "after insert or update on shop.items deferrable initially deferred"),
    ] {
        let db = TestDb::new().await;
        numbers(&db, "").await;
        let timing = if timing.contains(" on ") {
            timing.to_owned()
        } else {
            format!("{timing} on shop.items")
        };
        db.execute(&format!(
            "create function shop.guard() returns trigger language plpgsql as $$
             begin
               if new.n = 13 then raise exception 'thirteen' using column = 'n'; end if;
               return new;
             end $$;
             create {kind} trigger guard {timing} for each row execute function shop.guard();"
        ))
        .await;
        let mut records: Vec<String> =
            (0..600).map(|id| format!(r#"{{"id": {id}, "n": 1}}"#)).collect();
        for bad in [0, 255, 256, 599] {
            records[bad] = format!(r#"{{"id": {bad}, "n": 13}}"#);
        }
        let mut hand = Hand::start(&db).await;
        assert_eq!(
            hand.load(&records).await,
            "extracted=600 transformed=596 quarantined=4 produced=596 inserted=596",
            "{kind} {timing}"
        );
        assert_eq!(
            db.rows("select position - 1, sqlstate, message, \"column\" from sluice.quarantine_open_details order by position").await,
            ["0|P0001|thirteen|n", "255|P0001|thirteen|n", "256|P0001|thirteen|n", "599|P0001|thirteen|n"]
        );
    }
}

#[tokio::test]
async fn trigger_that_rejects_quarantines_its_record() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "create function shop.guard() returns trigger language plpgsql as $$
         begin
           if new.n = 13 then perform sluice.reject('thirteen'); end if;
           return new;
         end $$;
         create trigger guard before insert or update on shop.items for each row execute function shop.guard();",
    )
    .await;
    assert_eq!(
        Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 13}"#]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
    assert_eq!(
        db.rows("select position, sqlstate, message from sluice.quarantine_open_details").await,
        ["2|SL100|thirteen"]
    );
}

#[tokio::test]
async fn trigger_that_swallows_a_row_fails_the_batch_by_name() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "create function shop.swallow() returns trigger language plpgsql as $$
         begin if new.n = 13 then return null; end if; return new; end $$;
         create trigger swallower before insert or update on shop.items for each row execute function shop.swallow();",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let problem = hand.fail(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 13}"#]).await;
    problem.is("SL004", "2 rows were to be written to shop.items, but 1 were");
    assert!(problem.detail.contains("swallower"), "{problem:?}");
    assert_eq!(
        db.value("select (select count(*) from shop.items), (select count(*) from sluice.batches), (select batch_seq from sluice.etl_state)").await,
        "0|0|0"
    );
}

#[tokio::test]
async fn error_in_a_trigger_that_is_no_record_s_fault_fails_the_batch() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "create function shop.broken() returns trigger language plpgsql as $$
         begin if new.n = 13 then insert into shop.no_such_log values (1); end if; return new; end $$;
         create trigger broken before insert on shop.items for each row execute function shop.broken();",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let problem = hand.fail(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 13}"#]).await;
    problem.is("42P01", "shop.no_such_log");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
}

#[tokio::test]
async fn row_level_security_on_the_target_is_refused_for_those_it_binds() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer",
        "id bigint, n integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer",
        "key => '{id}', deliver => sluice.http_delivery('http://127.0.0.1/{id}')",
    )
    .await;
    db.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'engine_bound') then create role engine_bound in role sluice_operator; end if;
           exception when duplicate_object or unique_violation then null; end $$;
         update sluice.pipelines set owner = 'sluice_operator'; grant usage on schema shop to engine_bound; grant select, insert, update, delete on shop.items to engine_bound;
         alter table shop.items enable row level security; create policy visible on shop.items using (n < 10);
         insert into shop.items values (1, 50);",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role engine_bound").await.unwrap();
    let mut hand = Hand::of(session, "items").await;
    hand.fail(&[r#"{"id": 1, "n": 1}"#])
        .await
        .is("42501", "row security of shop.items applies to engine_bound, and would hide rows");
    assert_eq!(db.value("select n from shop.items").await, "50");
    // Nor is a hidden row taken to be missing elsewhere.
    for sql in [
        "select * from sluice.compare('items', 1, 1)",
        "select sluice.enqueue_deliveries('items')",
        "select * from sluice.start_delivery('items', 'a test')",
    ] {
        problem(&db, &format!("set role engine_bound; {sql}"))
            .await
            .is("42501", "row security of shop.items applies to engine_bound");
    }
    let session = db.connect().await;
    session.batch_execute("set role engine_bound").await.unwrap();
    assert_eq!(
        rows(&session, "select value from sluice.why('items', '1') where fact = 'row'").await,
        ["not in shop.items, or hidden: its row security applies to engine_bound"]
    );
    // Its owner is not bound.
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
}

#[tokio::test]
async fn loader_without_rights_on_the_target_fails_the_batch() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'engine_weak') then create role engine_weak in role sluice_operator; end if;
           exception when duplicate_object or unique_violation then null; end $$;
         update sluice.pipelines set owner = 'sluice_operator'; grant usage on schema shop to engine_weak; grant select on shop.items to engine_weak;",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role engine_weak").await.unwrap();
    let mut hand = Hand::of(session, "items").await;
    hand.fail(&[r#"{"id": 1, "n": 1}"#]).await.is("42501", "permission denied for table items");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
}

#[tokio::test]
async fn unenforced_constraints_quarantine_nobody() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    let version: i32 = db
        .value("select current_setting('server_version_num')::int / 10000")
        .await
        .parse()
        .unwrap();
    if version < 18 {
        // Nothing is unenforced there; what is not valid yet holds for new rows.
        db.execute("insert into shop.items values (9, 9); alter table shop.items add constraint small check (n < 5) not valid").await;
        judges(&db, &[(r#"{"id": 1, "n": 9}"#, "23514 n small")]).await;
        return;
    }
    db.execute(
        "create table shop.parents (n integer primary key);
         alter table shop.items add constraint small check (n < 5) not enforced,
           add constraint parent foreign key (n) references shop.parents not enforced",
    )
    .await;
    judges(&db, &[(r#"{"id": 1, "n": 9}"#, "-")]).await;
}

#[tokio::test]
async fn temporal_keys_and_virtual_columns_of_postgres_18_hold() {
    let db = TestDb::new().await;
    let version: i32 = db
        .value("select current_setting('server_version_num')::int / 10000")
        .await
        .parse()
        .unwrap();
    if version < 18 {
        let error = db
            .connect()
            .await
            .batch_execute(
                "create table t (a int4range, b int4range, primary key (a, b without overlaps))",
            )
            .await;
        assert!(error.is_err(), "test this version, too");
        return;
    }
    db.execute(
        "create schema shop;
         create table shop.rooms (room int4range, during daterange, primary key (room, during without overlaps));
         insert into shop.rooms values ('[1,2)', '[2024-01-01,2024-06-01)'), ('[1,2)', '[2024-06-01,2025-01-01)');",
    )
    .await;
    items(
        &db,
        "id bigint primary key, room int4range, during daterange, n integer, twice integer generated always as (n * 2), constraint twice_is_small check (twice < 10),
         constraint room_exists foreign key (room, period during) references shop.rooms (room, period during)",
        "id bigint, n integer, room int4range, during daterange",
        "(doc->>'id')::bigint, (doc->>'n')::integer, '[1,2)'::int4range, (doc->>'during')::daterange",
        "key => '{id}'",
    )
    .await;
    judges(
        &db,
        &[
            (r#"{"id": 1, "during": "[2024-02-01,2024-08-01)"}"#, "-"),
            (r#"{"id": 2, "during": "[2023-02-01,2024-08-01)"}"#, "23503 room_exists"),
            (r#"{"id": 3, "during": "[2024-02-01,2024-03-01)", "n": 7}"#, "23514 twice_is_small"),
        ],
    )
    .await;
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
}

#[tokio::test]
async fn triggers_find_unqualified_names_as_the_definer_does() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "create table public.seen (id bigint);
         create function shop.note() returns trigger language plpgsql as $$
         begin insert into seen values (new.id); return new; end $$;
         create trigger note after insert on shop.items for each row execute function shop.note();
         create table public.late (id bigint);
         create function shop.note_late() returns trigger language plpgsql as $$
         begin insert into late values (new.id); return new; end $$;
         create constraint trigger note_late after insert on shop.items deferrable initially deferred
         for each row execute function shop.note_late();",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    assert_eq!(
        db.value("select (select count(*) from public.seen), (select count(*) from public.late)")
            .await,
        "2|2"
    );
}

/// At commit, where no record can be told apart, it would fail the run.
#[tokio::test]
async fn deferred_constraints_are_checked_behind_an_insert_and_behind_a_merge() {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    db.execute(
        "create function shop.refuse() returns trigger language plpgsql as $$ begin
           if new.n < 0 then raise exception 'n is negative'; end if;
           return null;
         end $$;
         create constraint trigger late after insert or update on shop.items deferrable initially deferred
           for each row execute function shop.refuse()",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    for (n, books) in [(10, "inserted=1"), (11, "updated=1")] {
        hand.stage(&[format!(r#"{{"id": 1, "n": {n}}}"#), format!(r#"{{"id": {n}, "n": -1}}"#)])
            .await
            .unwrap();
        hand.transform().await.unwrap();
        hand.session.batch_execute("set constraints all deferred").await.unwrap();
        assert_eq!(
            hand.merge().await.unwrap(),
            format!("extracted=2 transformed=1 quarantined=1 produced=1 {books}")
        );
        hand.session.batch_execute("commit").await.unwrap();
        hand.seq += 1;
    }
}
