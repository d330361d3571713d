//! What a table in another database gets, and what it refuses.

use super::crm::{COLUMNS, Crm};
use super::{put, puts};
use crate::support::Sluice;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_here_is_written_there_once_and_what_is_as_it_should_be_is_not() {
    let crm = Crm::new("").await;
    crm.load(puts(5, 1));
    let done = crm.deliver(&[]).exits(0);
    assert_eq!(done.summary().outcome, "delivered");
    assert_eq!(done.summary().count("sent"), 5);
    assert!(done.stderr.contains("made the table crm.sluice_parcels"), "{}", done.stderr);
    let expected: Vec<String> = (0..5).map(|id| format!("insert {id} 1")).collect();
    assert_eq!(crm.done().await, expected);
    let doctor = Sluice::on(&crm.db).args(["doctor"]).env("CRM_DB", &crm.there.url);
    let doctor = doctor.run().stdout;
    assert!(doctor.contains("crm.items is there"), "{doctor}");
    crm.load([put(1, 2), r#"{"id": "3", "del": true}"#.to_owned()]);
    crm.deliver(&[]).exits(0);
    assert_eq!(crm.done().await, ["delete 3 1", "update 1 2"]);
    // All of them once more: nothing there is otherwise.
    let done = crm.deliver(&["--all-rows"]).exits(0);
    assert_eq!(done.summary().count("sent"), 4);
    assert!(!done.stderr.contains("made the table"), "{}", done.stderr);
    assert!(crm.done().await.is_empty());
    crm.there
        .execute("update crm.items set n = 7 where id = '1'; delete from crm.items where id = '2'; delete from crm.log")
        .await;
    crm.deliver(&["--all-rows"]).exits(0);
    let mut done = crm.done().await;
    done.sort();
    assert_eq!(done, ["insert 2 1", "update 1 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_database_will_do_and_columns_keep_their_types() {
    let crm = Crm::new("").await;
    crm.db
        .execute(
            r#"alter table shop.items add amount numeric, add at timestamptz, add tags text[], add doc jsonb,
                 add bytes bytea, add span interval, add "Odd ""name" daterange;
               update shop.items set n = n;
               create function shop.items_v2(doc jsonb) returns table (id text, n bigint, amount numeric,
                 at timestamptz, tags text[], doc jsonb, bytes bytea, span interval, "Odd ""name" daterange)
               language sql stable as $$ select doc->>'id', 1, 1.50, timestamptz '2026-03-01 12:00:00.123456+05',
                 array['a', 'b,c', null], jsonb '{"x": [1, null]}', bytea '\x00ff', interval '-1 day 02:00',
                 daterange '[2026-01-01,2026-02-01)' $$;
               create schema crm;
               create table crm.items (like shop.items including all);
               alter table crm.items alter amount type numeric(12, 4), add set_there text default 'there'"#,
        )
        .await;
    let define = "select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2',
        target => 'shop.items', key => '{id}', source => source, deliver => deliver) from sluice.pipelines";
    crm.db.execute(define).await;
    crm.load([put("a", 1)]);
    let here = crm.command(&[]).env("CRM_DB", &crm.db.url);
    here.run().exits(0);
    let row = r#"select n, amount, at at time zone 'UTC', tags, doc, bytes, span, "Odd ""name", set_there from crm.items"#;
    assert_eq!(
        crm.db.rows(row).await,
        [
            r#"1|1.5000|2026-03-01 07:00:00.123456|{a,"b,c",NULL}|{"x": [1, null]}|\x00ff|-1 days +02:00:00|[2026-01-01,2026-02-01)|there"#
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_equal_to_others_arrive_as_they_are() {
    let columns = "raw json, j jsonb not null, j_null jsonb, arr integer[], f float8";
    let crm = Crm::with(&format!("id text primary key, n bigint, {columns}"), "").await;
    let alter = format!("add {}", columns.replace(", ", ", add "));
    crm.db
        .execute(&format!(
            "alter table shop.items {alter};
             create function shop.items_v2(doc jsonb) returns table (id text, n bigint, raw json, j jsonb, j_null jsonb,
               arr integer[], f float8, sluice_deleted boolean)
             language sql stable as $$ select doc->>'id', 1, json '{{\"b\": 1.0,  \"a\": 1e5, \"a\": null}}', jsonb 'null', null::jsonb,
               '[0:1]={{1,2}}'::integer[], float8 '-0', (doc->>'del')::boolean $$;
             select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2',
               target => 'shop.items', key => '{{id}}', source => source, deliver => deliver) from sluice.pipelines"
        ))
        .await;
    crm.load([put("a", 1)]);
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 1);
    let row = "select raw, j, j_null is null, arr, f from";
    let there = crm.there.rows(&format!("{row} crm.items")).await;
    assert_eq!(there, [r#"{"b": 1.0,  "a": 1e5, "a": null}|null|t|[0:1]={1,2}|-0"#]);
    assert_eq!(there, crm.db.rows(&format!("{row} shop.items")).await);
    // Nothing is otherwise there.
    crm.done().await;
    crm.deliver(&["--all-rows"]).exits(0);
    assert!(crm.done().await.is_empty());
    crm.load([r#"{"id": "a", "del": true}"#.to_owned()]);
    crm.deliver(&[]).exits(0);
    assert_eq!(crm.done().await, ["delete a 1"]);
}

/// A function takes 100 arguments.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_many_columns_arrive_whole_and_by_their_names() {
    let columns = |each: fn(u32) -> String| (1..=120).map(each).collect::<Vec<_>>().join(", ");
    let (types, names) = (columns(|n| format!("c{n} integer")), columns(|n| format!("c{n}")));
    let crm = Crm::with(&format!("id text primary key, n bigint, {types}"), "").await;
    let alter = columns(|n| format!("add c{n} integer"));
    let values = columns(|n| format!("(doc->>'n')::integer + {n}"));
    crm.db
        .execute(&format!(
            "alter table shop.items {alter};
             create function shop.items_v2(doc jsonb) returns table (id text, n bigint, {types}, sluice_deleted boolean)
             language sql stable as $$ select doc->>'id', 1, {values}, (doc->>'del')::boolean $$"
        ))
        .await;
    let sum = columns(|n| format!("c{n}")).replace(", ", " + ");
    for (n, settings) in [(1, String::new()), (2, format!(", columns => '{{id,{names}}}'"))] {
        let deliver = super::crm::deliver(&settings);
        crm.db
            .execute(&format!(
                "select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2',
                   target => 'shop.items', key => '{{id}}', source => source, deliver => {deliver}) from sluice.pipelines"
            ))
            .await;
        crm.load([put("a", n), put("b", n)]);
        assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 2);
        let there = format!("select c1, c120, {sum} from crm.items where id = 'a'");
        let whole = 120 * n + 120 * 121 / 2;
        assert_eq!(crm.there.rows(&there).await, [format!("{}|{}|{whole}", n + 1, n + 120)]);
    }
    crm.load([r#"{"id": "a", "n": 3, "del": true}"#.to_owned()]);
    crm.deliver(&[]).exits(0);
    assert_eq!(crm.there.rows("select id from crm.items").await, ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_table_refuses_is_set_aside_alone_with_what_its_server_said() {
    let columns =
        "id text primary key, n integer check (n <> 13), constraint lucky check (id <> 'x')";
    let crm = Crm::with(columns, "").await;
    let mut records: Vec<String> = puts(40, 1).collect();
    records.extend([put("x", 1), put("y", 13), put("z", 5_000_000_000)]);
    crm.load(records);
    let done = crm.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (40, 3));
    assert_eq!(crm.done().await.len(), 40);
    let dead = crm
        .db
        .rows("select key->>'id', error from sluice.deliveries_details where state = 'dead' order by 1")
        .await;
    assert!(dead[0].contains("23514") && dead[0].contains("\"lucky\""), "{dead:?}");
    assert!(dead[1].contains("items_n_check"), "{dead:?}");
    assert!(dead[2].contains("22003") && dead[2].contains("out of range"), "{dead:?}");
    crm.there.execute("alter table crm.items drop constraint lucky").await;
    Sluice::on(&crm.db).args(["redeliver", "items"]).run().exits(0);
    let done = crm.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_take_each_others_place_or_need_each_other_are_not_refused() {
    let columns =
        "id text primary key, n bigint unique, up bigint generated always as (n - 1) stored,
        foreign key (up) references crm.items (n)";
    let crm = Crm::with(columns, "").await;
    // Each refers to the one before, which comes behind it.
    crm.there
        .execute(
            "set session_replication_role = replica; insert into crm.items (id, n) values ('root', 0);
             delete from crm.log",
        )
        .await;
    crm.load([put("c", 3), put("b", 2), put("a", 1), put("lost", 9)]);
    let done = crm.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("dead")), (3, 1), "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_row_is_refused_the_sending_ends_before_all_of_them_are_dead() {
    let crm = Crm::with("id text primary key, n bigint check (n > 1)", "").await;
    crm.load(puts(300, 1));
    let done = crm.deliver(&[]).exits(3);
    assert_eq!(done.summary().outcome, "threshold");
    assert_eq!(done.summary().count("dead"), 100);
    assert_eq!(crm.states().await, ["dead|100", "unsent|200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_function_says_which_columns_are_written_and_the_others_stay() {
    let crm = Crm::with("\"Nr\" text unique not null, total numeric(10,2), note text default 'new', must text not null default ''", "")
        .await;
    crm.db
        .execute(
            "create function shop.item_body_v1(r shop.items, meta jsonb) returns jsonb language sql stable as $$
               select case when r.n = 1 then jsonb_build_object('Nr', r.id, 'total', r.n, 'note', meta->>'operation')
                 else jsonb_build_object('Nr', r.id, 'total', r.n) end where r.n > 0 $$",
        )
        .await;
    crm.define(", key => '{Nr}', body => 'shop.item_body_v1'").await;
    crm.load([put("a", 1), put("b", 2), put("c", 0)]);
    let done = crm.deliver(&[]).exits(0);
    assert_eq!((done.summary().count("sent"), done.summary().count("filtered")), (2, 1));
    crm.load([put("a", 3), r#"{"id": "b", "del": true}"#.to_owned()]);
    crm.deliver(&[]).exits(0);
    let rows = "select * from crm.items order by 1";
    assert_eq!(crm.there.rows(rows).await, ["a|3.00|upsert|"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_columns_that_are_named_go_there_and_deletes_only_if_they_are_meant_to() {
    let crm = Crm::with("id text primary key, m bigint default 5", "").await;
    crm.define(", columns => '{id}', deletes => false").await;
    crm.load([put("a", 1)]);
    crm.deliver(&[]).exits(0);
    crm.load([r#"{"id": "a", "del": true}"#.to_owned()]);
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 0);
    assert_eq!(crm.there.rows("select * from crm.items").await, ["a|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_every_row_stops_the_sending_with_what_to_do_and_gives_nothing_up() {
    for (spoil, says) in [
        ("drop table crm.items", "there is no table crm.items"),
        ("alter table crm.items drop column n", "crm.items has no column \"n\""),
        (
            "alter table crm.items drop constraint items_pkey",
            "create unique index on crm.items (\"id\")",
        ),
        (
            "create role crm_clerk login; grant usage on schema crm to crm_clerk; grant all on crm.items to crm_clerk",
            "let its owner run there: create table if not exists crm.sluice_parcels (",
        ),
        (
            "create role crm_porter login; grant all on schema crm to crm_porter; grant select on crm.items to crm_porter",
            "grant select, insert, update and delete on the table",
        ),
        (
            "alter table crm.items drop column n, add n bigint generated always as (1) stored",
            "leave it out, with columns =>",
        ),
    ] {
        let crm = Crm::new("").await;
        crm.load(puts(3, 1));
        crm.there.execute(spoil).await;
        let mut command = crm.command(&[]);
        if let Some(role) = spoil.strip_prefix("create role ") {
            let role = role.split(' ').next().unwrap();
            command = command.env("CRM_DB", &crm.there.seen_as(role).url);
        }
        let done = command.run().exits(1);
        assert!(done.stderr.contains(says), "{spoil}: {}", done.stderr);
        assert!(done.stderr.contains("delivery into crm.items"), "{spoil}: {}", done.stderr);
        assert_eq!(crm.states().await, ["unsent|3"], "{spoil}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rows_with_one_key_there_stop_the_sending() {
    let crm = Crm::with("id text primary key, n bigint unique not null", ", key => '{n}'").await;
    crm.load([put("a", 1), put("b", 1)]);
    let done = crm.deliver(&[]).exits(1);
    assert!(done.stderr.contains("two rows have one key there"), "{}", done.stderr);
    assert_eq!(crm.states().await, ["unsent|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_decides_which_databases_deliveries_may_reach() {
    let crm = Crm::new("").await;
    crm.load([put("a", 1)]);
    for (name, says) in [
        ("SLUICE_ALLOW_FILES", "SLUICE_ALLOW_FILES"),
        ("SLUICE_ALLOW_ENV", "the environment variable \"CRM_DB\""),
    ] {
        let done = crm.command(&[]).env(name, "other").run().exits(2);
        assert!(done.stderr.contains(says), "{}", done.stderr);
    }
    let elsewhere = "postgresql://ann@10.255.0.1/crm";
    let done =
        crm.command(&[]).env("CRM_DB", elsewhere).env("SLUICE_ALLOW_HOSTS", "other").run().exits(2);
    assert!(done.stderr.contains("the host \"10.255.0.1"), "{}", done.stderr);
    let done = crm.command(&[]).env("CRM_DB", "mysql://ann@localhost/crm").run().exits(2);
    assert!(
        done.stderr.contains("\"mysql://\" is not a Postgres connection URL"),
        "{}",
        done.stderr
    );
    assert_eq!(crm.states().await, ["unsent|1"]);
    assert_eq!(
        crm.there.rows(&format!("select to_regclass('crm.sluice_parcels'), '{COLUMNS}'")).await,
        [format!("-|{COLUMNS}")]
    );
}
