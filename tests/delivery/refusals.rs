//! What another database says against a row, by whom it is about: the row, which is set aside alone; all rows, where
//! the sending ends with what to do and gives nothing up; or nobody, as it passes.

use super::crm::{COLUMNS, Crm};
use super::{put, puts};
use crate::support::Sluice;
use std::net::TcpListener;

/// A trigger that does this to the row with the id "2".
fn trigger(name: &str, does: &str) -> String {
    format!(
        "create sequence crm.times;
         create function crm.{name}() returns trigger language plpgsql as $$
         begin
           if new.id = '2' then {does} end if;
           return new;
         end $$;
         create trigger {name} before insert or update on crm.items for each row execute function crm.{name}()"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_against_a_row_sets_it_aside_alone() {
    let raises = |code: &str| {
        trigger("raises", &format!("raise '2 is not wanted' using errcode = '{code}';"))
    };
    let vanishes = trigger("vanishes", "return null;");
    let held = "insert into crm.items values ('held', 2); alter table crm.items add unique (n)";
    for (spoil, sqlstate, says) in [
        (raises("P0001").as_str(), "P0001", "2 is not wanted"),
        (raises("23514").as_str(), "23514", "2 is not wanted"),
        (raises("38000").as_str(), "38000", "2 is not wanted"),
        (raises("54000").as_str(), "54000", "2 is not wanted"),
        (vanishes.as_str(), "", "crm.items kept the row from being written"),
        ("alter table crm.items add check (n <> 2)", "23514", "items_n_check"),
        ("alter table crm.items add check (n <> 2) not valid", "23514", "items_n_check"),
        ("create table crm.kinds (n bigint primary key); insert into crm.kinds values (0), (1), (3), (4);
          alter table crm.items add foreign key (n) references crm.kinds", "23503", "items_n_fkey"),
        (held, "23505", "items_n_key"),
        ("create domain crm.few as bigint check (value <> 2); alter table crm.items alter n type crm.few", "23514", "few"),
    ] {
        let crm = Crm::new("").await;
        crm.there.execute(spoil).await;
        crm.load((0..5).map(|n| put(n, n)));
        let done = crm.deliver(&[]).exits(0);
        let counts = (done.summary().count("sent"), done.summary().count("dead"));
        assert_eq!(counts, (4, 1), "{spoil}: {done:?}");
        let dead = "select key->>'id', error, answer from sluice.deliveries_details where state = 'dead'";
        let dead = crm.db.rows(dead).await.join("\n");
        assert!(
            dead.starts_with("2|") && dead.contains(sqlstate) && dead.contains(says),
            "{spoil}: {dead}"
        );
        let rows = "select id from crm.items where id <> 'held' order by 1";
        assert_eq!(crm.there.rows(rows).await, ["0", "1", "3", "4"], "{spoil}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_trigger_keeps_from_being_updated_or_deleted_is_not_taken_for_sent() {
    let crm = Crm::new("").await;
    crm.load(puts(3, 1));
    crm.deliver(&[]).exits(0);
    crm.there
        .execute(
            "create function crm.keep() returns trigger language plpgsql as $$ begin return null; end $$;
             create trigger keep before update or delete on crm.items for each row when (old.id < '2')
               execute function crm.keep()",
        )
        .await;
    crm.load([put(0, 2), r#"{"id": "1", "del": true}"#.to_owned(), put(2, 2)]);
    let done = crm.deliver(&[]).exits(0);
    let counts = (done.summary().count("sent"), done.summary().count("dead"));
    assert_eq!(counts, (1, 2), "{done:?}");
    crm.there.execute("drop trigger keep on crm.items").await;
    Sluice::on(&crm.db).args(["redeliver", "items"]).run().exits(0);
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 2);
    assert_eq!(crm.there.rows("select id, n from crm.items order by 1").await, ["0|2", "2|2"]);
}

/// As tables were partitioned once.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_trigger_puts_into_another_table_has_arrived_if_it_is_seen_there() {
    let crm = Crm::new("").await;
    crm.there
        .execute(
            "create table crm.items_of_now () inherits (crm.items);
             create function crm.route() returns trigger language plpgsql as $$
             begin insert into crm.items_of_now values (new.*); return null; end $$;
             create trigger route before insert on crm.items for each row execute function crm.route()",
        )
        .await;
    crm.load(puts(3, 1));
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 3);
    crm.load(puts(3, 2));
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 3);
    assert_eq!(crm.there.value("select count(*), sum(n) from crm.items").await, "3|6");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_against_all_rows_ends_the_sending_and_gives_nothing_up() {
    for (code, says) in [
        ("42883", "2 is not wanted"),
        ("42501", "grant select, insert, update and delete"),
        ("53100", "2 is not wanted"),
        ("0A000", "2 is not wanted"),
        ("HV00N", "2 is not wanted"),
        ("XX000", "2 is not wanted"),
        ("55000", "send again"),
    ] {
        let crm = Crm::new("").await;
        let raises = format!("raise '2 is not wanted' using errcode = '{code}';");
        crm.there.execute(&trigger("raises", &raises)).await;
        crm.load((0..5).map(|n| put(n, n)));
        let done = crm.deliver(&["--retries", "0"]).exits(1);
        assert!(done.stderr.contains(code) && done.stderr.contains(says), "{code}: {done:?}");
        assert_eq!(crm.states().await, ["unsent|5"], "{code}");
        crm.there.execute("drop trigger raises on crm.items").await;
        assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 5);
        assert_eq!(crm.done().await.len(), 5, "{code}");
    }
}

/// The first two times, of which no rollback takes anything back.
#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_each_change_is_made_once() {
    let raises = |code: &str| {
        format!(
            "if nextval('crm.times') <= 2 then raise 'not now' using errcode = '{code}'; end if;"
        )
    };
    let ends =
        "if nextval('crm.times') <= 2 then perform pg_terminate_backend(pg_backend_pid()); end if;";
    for (name, does) in [
        ("serialization", raises("40001")),
        ("deadlock", raises("40P01")),
        ("lock", raises("55P03")),
        ("connections", raises("53300")),
        ("memory", raises("53200")),
        ("read only", raises("25006")),
        ("shutdown", raises("57P01")),
        ("starting", raises("57P03")),
        ("killed", ends.to_owned()),
    ] {
        let crm = Crm::new("").await;
        crm.there.execute(&trigger("passes", &does)).await;
        crm.load((0..5).map(|n| put(n, n)));
        let done = crm.deliver(&["--retries", "3"]).exits(0);
        let counts = (done.summary().count("sent"), done.summary().count("retried"));
        assert_eq!(counts, (5, 2), "{name}: {done:?}");
        assert_eq!(crm.done().await.len(), 5, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_ends_with_75_and_is_sent_once_when_it_has() {
    let crm = Crm::with(COLUMNS, "").await;
    crm.load(puts(5, 1));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("postgresql://nobody@127.0.0.1:{port}/crm");
    let refused = crm.command(&["--retries", "1"]).env("CRM_DB", closed).run();
    let refused = refused.exits(75);
    assert!(refused.stderr.contains("could not connect"), "{refused:?}");
    let read_only = |is_so| {
        format!("do $$ begin execute format('alter database %I set default_transaction_read_only = {is_so}',
           current_database()); end $$")
    };
    crm.there.execute(&read_only("on")).await;
    let refused = crm.deliver(&["--retries", "1"]).exits(75);
    assert!(refused.stderr.contains("25006"), "{refused:?}");
    assert_eq!(crm.states().await, ["unsent|5"]);
    crm.there.execute(&format!("set transaction read write; {}", read_only("off"))).await;
    assert_eq!(crm.deliver(&[]).exits(0).summary().count("sent"), 5);
    assert_eq!(crm.done().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_that_takes_too_long_is_written_in_parts_and_one_row_that_does_is_tried_again() {
    let crm = Crm::new("").await;
    // By how many rows there are, as time is not to be had in a test.
    crm.there
        .execute(
            "create sequence crm.times;
             create function crm.slow() returns trigger language plpgsql as $$
             begin
               if (select count(*) > 2 or count(*) = 1 and min(id) = '2' and nextval('crm.times') <= 2 from rows) then
                 raise 'canceling statement due to statement timeout' using errcode = '57014';
               end if;
               return null;
             end $$;
             create trigger slow after insert on crm.items referencing new table as rows
               for each statement execute function crm.slow()",
        )
        .await;
    crm.load(puts(5, 1));
    let done = crm.deliver(&["--retries", "3"]).exits(0);
    let counts = (done.summary().count("sent"), done.summary().count("retried"));
    assert_eq!(counts, (5, 2), "{done:?}");
    assert_eq!(crm.done().await.len(), 5);
    crm.there.execute("select setval('crm.times', 1, false)").await;
    crm.there.execute("delete from crm.items").await;
    let done = crm.deliver(&["--retries", "0", "--all-rows"]).exits(75);
    assert!(
        done.stderr.contains("57014") && done.stderr.contains("statement_timeout is too short"),
        "{done:?}"
    );
    assert!(crm.states().await.contains(&"in_flight|5".to_owned()), "{:?}", crm.states().await);
}
