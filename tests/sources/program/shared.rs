//! Several streams of one run of a program, each to its pipeline.

use crate::support::sluice::{Done, write_program};
use crate::support::{Fault, Loader, Proxy, Sluice, Summary, TestDb, sampled};

use super::support::Folder;

/// A tap that counts: odd numbers are records of the stream `a`, even ones of `b`, and behind every tenth
/// number stands a state. It goes on behind the number in its state, gives nothing twice, and notes how
/// it was started. `last` is the last number, `most` how many it gives in a
/// run; with a file `broken` it fails in the end.
pub(super) const TAP: &str = r#"#!/bin/sh
from=0
echo "$*" >> asked
while [ $# -gt 0 ]; do
  if [ "$1" = --state ]; then from=$(tr -dc 0-9 < "$2"); shift; fi
  shift
done
echo "from $from" >> asked
echo '{"type":"SCHEMA","stream":"a","schema":{},"key_properties":["id"]}'
echo '{"type":"SCHEMA","stream":"b","schema":{},"key_properties":["id"]}'
awk -v from="$from" -v last="$(cat last)" -v most="$(cat most 2>&-)" 'BEGIN {
  if (most && last > from + most) last = from + most
  for (i = from + 1; i <= last; i++) {
    printf "{\"type\":\"RECORD\",\"stream\":\"%s\",\"record\":{\"id\":%d}}\n", i % 2 ? "a" : "b", i
    if (i % 10 == 0) printf "{\"type\":\"STATE\",\"value\":{\"at\":%d}}\n", i
  }
}'
[ ! -e broken ]
"#;

/// Pipelines of one tap in a database of their own.
pub(super) struct Shop {
    pub(super) db: TestDb,
    pub(super) folder: Folder,
}

impl Shop {
    pub(super) async fn new() -> Self {
        let shop = Shop { db: TestDb::new().await, folder: Folder::new() };
        shop.db
            .execute(
                "create function number_v1(doc jsonb) returns table (id bigint) language sql immutable
                   as $$ select (doc ->> 'id')::bigint $$",
            )
            .await;
        write_program(&shop.folder.path("tap"), TAP);
        shop.folder.write("last", "95");
        shop.define("a", "").await;
        shop.define("b", "").await;
        shop
    }

    /// A pipeline of the stream of that name.
    pub(super) async fn define(&self, stream: &str, more: &str) {
        self.db
            .execute(&format!(
                "create table {stream} (id bigint primary key);
                 select sluice.define_pipeline(name => '{stream}', version => 1, transform => 'number_v1', target => '{stream}',
                   key => '{{id}}', source => sluice.program_source(program => 'tap', protocol => 'singer', stream => '{stream}',
                     discover => false) {more})"
            ))
            .await;
    }

    pub(super) fn command(&self, args: &str) -> Sluice {
        Sluice::on(&self.db)
            .env("SLUICE_ALLOW_PROGRAMS", self.folder.path("tap"))
            .current_dir(&self.folder.path(""))
            .args(args.split(' '))
            .args(args.starts_with("run ").then_some("--together"))
    }

    pub(super) fn run(&self, args: &str) -> Done {
        self.command(args).run()
    }

    /// From which numbers on the tap was started since the last look.
    pub(super) fn starts(&self) -> Vec<String> {
        let path = self.folder.path("asked");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        let lines = text.lines().filter_map(|line| line.strip_prefix("from "));
        lines.map(str::to_owned).collect()
    }

    /// How many rows are there, of both.
    pub(super) async fn rows(&self) -> String {
        self.db.value("select (select count(*) from a) || ' ' || (select count(*) from b)").await
    }
}

pub(super) fn summaries(done: &Done) -> Vec<Summary> {
    done.stdout.lines().map(Summary::of).collect()
}

#[tokio::test]
async fn a_tap_is_run_once_for_all_its_pipelines_and_goes_on_at_one_state() {
    let shop = Shop::new().await;
    let done = shop.run("run --all").exits(0);
    let told: Vec<(String, i64)> = summaries(&done)
        .into_iter()
        .map(|one| (one.pipeline.clone(), one.count("inserted")))
        .collect();
    assert_eq!(told, [("a".to_owned(), 48), ("b".to_owned(), 47)]);
    assert_eq!(shop.starts(), ["0"]);
    // Behind the last state there are numbers still.
    shop.folder.write("last", "120");
    let done = shop.run("run b a").exits(0);
    let told: Vec<(String, i64)> = summaries(&done)
        .into_iter()
        .map(|one| (one.pipeline.clone(), one.count("inserted")))
        .collect();
    assert_eq!(told, [("b".to_owned(), 13), ("a".to_owned(), 12)]);
    assert_eq!(shop.starts(), ["90"]);
    assert!(done.stderr.is_empty(), "{}", done.stderr);
    assert_eq!(shop.rows().await, "60 60");
    shop.run("verify").exits(0);
}

#[tokio::test]
async fn a_dry_run_is_one_of_each_pipeline() {
    let shop = Shop::new().await;
    shop.run("run --all --dry-run").exits(0);
    assert_eq!(shop.starts(), ["0", "0"]);
}

#[tokio::test]
async fn a_pipeline_that_fails_leaves_and_the_next_run_begins_where_it_needs_it() {
    let shop = Shop::new().await;
    shop.folder.write("last", "50");
    shop.run("run --all --batch-rows 5").exits(0);
    assert_eq!(shop.starts(), ["0"]);
    shop.db.execute("alter table b add constraint small check (id < 62) not valid").await;
    shop.folder.write("last", "100");
    let done = shop.run("run --all --batch-rows 5 --max-bad-ratio 0").exits(3);
    let told: Vec<String> = summaries(&done).into_iter().map(|one| one.outcome).collect();
    assert_eq!(told, ["ok", "threshold"]);
    assert_eq!(shop.starts(), ["50"]);
    assert_eq!(shop.rows().await, "50 30");
    shop.db.execute("alter table b drop constraint small").await;
    let done = shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["60"]);
    let told = summaries(&done);
    assert_eq!(told[0].count("unchanged"), 20, "read again");
    assert_eq!(told[1].count("inserted"), 20);
    assert_eq!(shop.rows().await, "50 50");
}

#[tokio::test]
async fn a_tap_that_fails_fails_all_of_them_and_what_came_is_committed() {
    let shop = Shop::new().await;
    shop.folder.write("broken", "");
    let done = shop.run("run --all").exits(1);
    let told: Vec<String> = summaries(&done).into_iter().map(|one| one.outcome).collect();
    assert_eq!(told, ["failed", "failed"]);
    let how = "the program `tap` failed with exit status 1";
    assert_eq!(done.stderr.matches(how).count(), 2, "{}", done.stderr);
    assert_eq!(shop.rows().await, "48 47");
}

#[tokio::test]
async fn one_that_was_away_is_met_at_the_state_where_it_left() {
    let shop = Shop::new().await;
    shop.run("run --all").exits(0);
    shop.run("pause b").exits(0);
    for last in ["110", "130"] {
        shop.folder.write("last", last);
        shop.run("run --all").exits(0);
    }
    assert_eq!(shop.starts(), ["0", "90", "110"]);
    shop.folder.write("last", "150");
    // Alone is no different.
    shop.run("run a").exits(0);
    shop.run("resume b").exits(0);
    shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["130", "90"]);
    assert_eq!(shop.rows().await, "75 75");
}

#[tokio::test]
async fn one_that_is_rewound_to_a_batch_takes_the_others_back_with_it() {
    let shop = Shop::new().await;
    shop.run("run --all --batch-rows 5").exits(0);
    let batch = shop
        .db
        .value(
            r#"select min(b.batch_id) from sluice.batches b join sluice.pipelines p using (pipeline_id)
               where p.name = 'b' and b.cursor_after ->> 'state' = '{"at":40}'"#,
        )
        .await;
    shop.db.execute("delete from b where id > 60").await;
    shop.run(&format!("rewind b --to-batch {batch}")).exits(0);
    shop.starts();
    let done = shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["40"]);
    let told = summaries(&done);
    assert_eq!(told[0].count("unchanged"), told[0].count("extracted"));
    assert_eq!(shop.rows().await, "48 47");
}

#[tokio::test]
async fn one_that_is_deposed_on_the_way_fails_and_the_others_go_on() {
    let shop = Shop::new().await;
    shop.folder.write("last", "200");
    let waits = r#"mkfifo gate; read line < gate
echo '{"type":"RECORD","stream":"a","record":{"id":201}}'
echo '{"type":"RECORD","stream":"b","record":{"id":202}}'
echo '{"type":"STATE","value":{"at":202}}'
"#;
    write_program(&shop.folder.path("tap"), &format!("{TAP}{waits}"));
    let loader = Loader::of(shop.command("run --all --batch-rows 20"));
    shop.db.wait_until("select count(*) >= 80 from b").await;
    shop.db.execute("select sluice.rewind('b', to_start => true)").await;
    std::fs::write(shop.folder.path("gate"), "\n").unwrap();
    let done = loader.wait().exits(4);
    let told: Vec<String> = (summaries(&done).into_iter()).map(|one| one.outcome).collect();
    assert_eq!(told, ["ok", "locked"]);
    write_program(&shop.folder.path("tap"), TAP);
    shop.folder.write("last", "202");
    shop.starts();
    shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["0"], "where both began");
    assert_eq!(shop.rows().await, "101 101");
}

#[tokio::test]
async fn one_that_begins_at_the_start_is_run_apart_once_and_then_joins() {
    let shop = Shop::new().await;
    shop.run("run --all").exits(0);
    shop.folder.write("last", "105");
    shop.run("run --all").exits(0);
    shop.run("rewind b --to-start").exits(0);
    shop.folder.write("last", "120");
    shop.starts();
    let done = shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["100", "0"]);
    let note =
        "note: b begins at the start, and a go on from a state: `tap` was run once more for it";
    assert!(done.stderr.contains(note), "{}", done.stderr);
    shop.folder.write("last", "140");
    let done = shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["120"]);
    assert_eq!(done.stderr, "");
    assert_eq!(shop.rows().await, "70 70");
}

#[tokio::test]
async fn one_whose_tap_gives_a_part_in_each_run_joins_when_it_is_as_far() {
    let shop = Shop::new().await;
    shop.run("run --all").exits(0);
    shop.folder.write("last", "105");
    shop.run("run --all").exits(0);
    shop.db.execute("delete from b").await;
    shop.run("rewind b --to-start").exits(0);
    shop.folder.write("most", "40");
    shop.starts();
    for starts in [vec!["100", "0"], vec!["100", "40"], vec!["100", "80"], vec!["100"]] {
        shop.run("run --all").exits(0);
        assert_eq!(shop.starts(), starts);
    }
    assert_eq!(shop.rows().await, "53 52");
}

#[tokio::test]
async fn states_of_runs_apart_are_gone_on_with_apart_aloud_until_they_are_the_same() {
    let shop = Shop::new().await;
    shop.run("run b").exits(0);
    shop.folder.write("last", "105");
    shop.run("run a").exits(0);
    shop.folder.write("last", "120");
    shop.starts();
    let done = shop.run("run --all").exits(0);
    assert_eq!(shop.starts(), ["100", "90"]);
    let note = "note: the state of b is of another run than that of a: `tap` was run once more for it; to let them share a run again: sluice rewind b --to-start";
    assert!(done.stderr.contains(note), "{}", done.stderr);
    assert_eq!(shop.run("run --all").exits(0).stderr, "");
    assert_eq!(shop.starts(), ["120"]);
    assert_eq!(shop.rows().await, "60 60");
}

#[tokio::test]
async fn an_interrupted_run_ends_the_program_and_all_its_pipelines() {
    let shop = Shop::new().await;
    write_program(&shop.folder.path("tap"), &format!("{TAP}\nmkfifo gate; read line < gate\n"));
    let loader = Loader::of(shop.command("run --all --batch-seconds 1"));
    while !shop.folder.path("gate").exists() {
        std::thread::yield_now();
    }
    loader.interrupt();
    let done = loader.wait().exits(130);
    let told: Vec<String> = (summaries(&done).into_iter()).map(|one| one.outcome).collect();
    assert_eq!(told, ["interrupted", "interrupted"]);
}

#[tokio::test]
async fn a_catalog_has_the_streams_of_all_of_them_and_one_that_is_not_there_fails_alone() {
    let shop = Shop::new().await;
    let discover = r#"case "$*" in *--discover*) echo '{"streams": [
      {"tap_stream_id": "a", "stream": "a", "schema": {}}, {"tap_stream_id": "b", "stream": "b", "schema": {}},
      {"tap_stream_id": "other", "stream": "other", "schema": {}}]}'; exit;; esac
cp "$2" catalog.json"#;
    let tap = TAP.replacen("from=0", &format!("{discover}\nfrom=0"), 1);
    write_program(&shop.folder.path("tap"), &tap);
    shop.define("c", "").await;
    shop.db.execute("update sluice.pipelines set source = source - 'discover'").await;
    let done = shop.run("run --all").exits(2);
    let told: Vec<String> = (summaries(&done).into_iter()).map(|one| one.outcome).collect();
    assert_eq!(told, ["ok", "ok", "failed"]);
    assert!(done.stderr.contains("error: the program `tap` has no stream `c`"), "{}", done.stderr);
    assert_eq!(shop.starts(), ["0"]);
    let given = std::fs::read_to_string(shop.folder.path("catalog.json")).unwrap();
    let given: serde_json::Value = serde_json::from_str(&given).unwrap();
    let selected: Vec<bool> = (given["streams"].as_array().unwrap().iter())
        .map(|stream| stream["selected"].as_bool().unwrap())
        .collect();
    assert_eq!(selected, [true, true, false]);
}

#[tokio::test]
async fn what_no_pipeline_reads_is_left_out_aloud_and_one_that_nothing_is_said_of_fails_alone() {
    let shop = Shop::new().await;
    shop.run("drop b --yes").exits(0);
    shop.define("c", "").await;
    let done = shop.run("run --all").exits(2);
    let told: Vec<String> = (summaries(&done).into_iter()).map(|one| one.outcome).collect();
    assert_eq!(told, ["ok", "failed"]);
    for said in [
        "note: tap:a,c: 47 records of the stream b were left out",
        "said nothing of a stream `c`\n  it spoke of b",
    ] {
        assert!(done.stderr.contains(said), "{}", done.stderr);
    }
}

/// A state that were ahead of any record would lose it: the tap gives nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_anywhere_no_state_is_ahead_of_a_record_of_any_stream() {
    let shop = Shop::new().await;
    let args = "run --all --batch-rows 7 --workers 2";
    let begin = async || {
        for table in ["a", "b"] {
            shop.db.execute(&format!("truncate {table}")).await;
            shop.run(&format!("rewind {table} --to-start")).exits(0);
        }
    };
    let hit = |proxy: &Proxy| {
        let command = shop.command(args).env("DATABASE_URL", proxy.url(&shop.db));
        Loader::hit(proxy, command).wait()
    };
    let proxy = Proxy::once(&shop.db, Fault::KillAfter, |_| false);
    hit(&proxy).exits(0);
    let (mut fired, mut resumed) = (0, 0);
    for number in sampled(proxy.last_answer(), 12, 11) {
        begin().await;
        let proxy =
            Proxy::once(&shop.db, Fault::KillAfter, move |message| message.number == number);
        hit(&proxy);
        fired += proxy.fired();
        shop.starts();
        shop.run(args).exits(0);
        resumed += usize::from(shop.starts() != ["0"]);
        assert_eq!(shop.rows().await, "48 47", "killed at message {number}");
    }
    println!("{fired} kills; {resumed} times a state was gone on from");
    assert!(fired >= 8 && resumed > 0, "{fired} kills, {resumed} states");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_too_long_is_that_of_its_message_whatever_stands_in_it() {
    let shop = Shop::new().await;
    shop.db
        .execute("update sluice.pipelines set source = source || '{\"max_record_bytes\": 1000}', max_bad_ratio = 1")
        .await;
    let tap = r#"#!/bin/sh
printf '{"type":"RECORD","stream":"b","record":{"id":2,"stream":"a","note":"'
head -c 100000 /dev/zero | tr '\0' y
echo '"}}'
echo '{"type":"RECORD","stream":"a","record":{"id":1}}'
"#;
    write_program(&shop.folder.path("tap"), tap);
    let done = shop.run("run --all").exits(0);
    let counts: Vec<_> =
        summaries(&done).iter().map(|of| (of.count("inserted"), of.count("quarantined"))).collect();
    assert_eq!(counts, [(1, 0), (0, 1)]);
}
