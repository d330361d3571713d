//! Pipelines that share a program and are held up, or leave it before its end.

use super::shared::{Shop, TAP, summaries};
use crate::support::sluice::{Done, write_program};
use crate::support::{Loader, TestDb};

fn outcomes(done: &Done) -> Vec<String> {
    let of = summaries(done).into_iter();
    of.map(|one| one.outcome).collect()
}

/// Waits in the end until somebody opens its gate.
const WAITS: &str = "mkfifo gate; read line < gate; rm gate\n";

fn open_gate(shop: &Shop) {
    std::fs::write(shop.folder.path("gate"), "\n").unwrap();
}

#[tokio::test]
async fn a_program_to_which_nobody_listens_any_more_is_ended_aloud_and_the_next_begins() {
    let shop = Shop::new().await;
    // It does not end when it is asked to.
    let waits = format!("{TAP}\n[ $from = 0 ] && exit\ntrap '' TERM\n{WAITS}");
    for last in ["30", "40"] {
        write_program(&shop.folder.path("tap"), TAP);
        shop.folder.write("last", last);
        shop.run("run --all").exits(0);
    }
    write_program(&shop.folder.path("tap"), &waits);
    shop.folder.write("last", "95");
    for (limit, told, from) in
        [("--max-batches 1", ["ok", "ok"], "40"), ("--max-bad-ratio 0", ["threshold", "ok"], "50")]
    {
        if limit == "--max-bad-ratio 0" {
            let small = "alter table a add constraint small check (id < 42) not valid";
            shop.db.execute(small).await;
        }
        shop.run("rewind b --to-start").exits(0);
        shop.starts();
        let run = format!("run --all --batch-rows 5 {limit}");
        let done = Loader::of(shop.command(&run)).wait();
        assert_eq!(outcomes(&done), told, "{done:?}");
        assert_eq!(shop.starts(), [from, "0"]);
        let note = "note: `tap` was ended: none of the pipelines that share it reads on";
        assert!(done.stderr.contains(note), "{}", done.stderr);
    }
}

#[tokio::test]
async fn what_came_is_committed_while_the_program_is_silent_with_the_state_of_all() {
    for (args, streams) in [("run a --batch-seconds 1", 1), ("run --all --batch-seconds 1", 2)] {
        let shop = Shop::new().await;
        let tap = r#"#!/bin/sh
echo '{"type":"RECORD","stream":"a","record":{"id":1}}'
echo '{"type":"STATE","value":{"at":1}}'
"#;
        write_program(&shop.folder.path("tap"), &format!("{tap}{WAITS}"));
        let loader = Loader::of(shop.command(args));
        shop.db
            .wait_until(&format!(
                r#"select (select count(*) from a) = 1
                   and count(*) = {streams} from sluice.etl_state where cursor ->> 'state' = '{{"at":1}}'"#
            ))
            .await;
        open_gate(&shop);
        loader.wait().exits(0);
    }
}

#[tokio::test]
async fn one_that_cannot_begin_holds_nobody_up_and_has_a_run_behind_the_others() {
    let shop = Shop::new().await;
    let holder = shop.db.connect().await;
    holder
        .batch_execute(
            "begin; select from sluice.etl_state join sluice.pipelines using (pipeline_id)
               where name = 'b' for update of etl_state",
        )
        .await
        .unwrap();
    let loader = Loader::of(shop.command("run --all"));
    shop.db.wait_until("select count(*) = 48 from a").await;
    holder.batch_execute("rollback").await.unwrap();
    let done = loader.wait().exits(0);
    assert_eq!(outcomes(&done), ["ok", "ok"]);
    assert_eq!(shop.starts(), ["0", "0"]);
    let note = "note: b could not begin when a did: `tap` was run once more for it";
    assert!(done.stderr.contains(note), "{}", done.stderr);
    assert!(!done.stderr.contains("left out"), "{}", done.stderr);
    assert_eq!(shop.rows().await, "48 47");
    shop.folder.write("last", "120");
    assert_eq!(shop.run("run --all").exits(0).stderr, "");
    assert_eq!(shop.starts(), ["90"]);
    assert_eq!(shop.rows().await, "60 60");
}

/// A role of its own, with so many connections.
async fn limited(shop: &Shop, connections: u32) -> TestDb {
    let role = format!("loader_{}", shop.db.name);
    shop.db
        .execute(&format!(
            "create role {role} login connection limit {connections} in role sluice_operator;
             grant all on all tables in schema public to {role};
             update sluice.pipelines set owner = '{role}'"
        ))
        .await;
    shop.db.seen_as(&role)
}

#[tokio::test]
async fn as_many_begin_as_there_are_connections_for_and_the_others_wait_aloud() {
    for (connections, waiting) in [(5, 1), (3, 2), (2, 2)] {
        let shop = Shop::new().await;
        shop.define("c", "").await;
        let tap = TAP.replace(r#"i % 2 ? "a" : "b""#, r#"i % 3 ? i % 3 == 1 ? "a" : "b" : "c""#);
        write_program(&shop.folder.path("tap"), &tap);
        let role = limited(&shop, connections).await;
        let command = shop.command("run --all").env("DATABASE_URL", &role.url);
        let done = Loader::of(command).wait().exits(0);
        assert_eq!(outcomes(&done), ["ok", "ok", "ok"], "{done:?}");
        let said = format!(
            "{waiting} of 3 pipelines wait until others have ended, as each takes 2 connections: 53300 too many connections for role"
        );
        assert!(done.stderr.contains(&said), "{}", done.stderr);
        assert!(done.stderr.contains("connection limit"), "{}", done.stderr);
        let rows =
            "select (select count(*) from a) + (select count(*) from b) + (select count(*) from c)";
        assert_eq!(shop.db.value(rows).await, "95", "{connections}");
    }
}

#[tokio::test]
async fn what_the_program_says_is_told_whoever_left_it() {
    let shop = Shop::new().await;
    shop.run("drop b --yes").exits(0);
    shop.define("c", "").await;
    shop.db.execute("alter table a add constraint small check (id < 3)").await;
    let tap =
        format!("{TAP}echo '{{\"type\":\"RECORD\",\"stream\":\"c\",\"record\":{{\"id\":1}}}}'\n");
    write_program(&shop.folder.path("tap"), &format!("{tap}{WAITS}"));
    let loader = Loader::of(shop.command("run --all --batch-rows 5 --max-bad-ratio 0"));
    shop.db.wait_until("select count(*) = 1 from sluice.runs where outcome = 'threshold'").await;
    while !shop.folder.path("gate").exists() {
        std::thread::yield_now();
    }
    open_gate(&shop);
    let done = loader.wait().exits(3);
    assert_eq!(outcomes(&done), ["threshold", "ok"], "{done:?}");
    let note = "note: tap:a,c: 47 records of the stream b were left out";
    assert_eq!(done.stderr.matches(note).count(), 1, "{}", done.stderr);
}
