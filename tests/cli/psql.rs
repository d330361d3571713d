//! The engine in plain psql: what fits on a screen, and the shortcuts of docs/psqlrc.

use crate::support::server::psql;
use crate::support::{Sluice, TestDb};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `psql` prints for `input`, with the start-up file `psqlrc`.
fn ask(psql: &Path, db: &TestDb, psqlrc: &str, input: &str) -> String {
    let mut child = Command::new(psql)
        .args(["--quiet", "--set=ON_ERROR_STOP=1"])
        .arg(&db.url)
        .env("PSQLRC", psqlrc)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.is_empty(), "{input}\n{error}");
    String::from_utf8(output.stdout).unwrap()
}

const FOR_PEOPLE: [&str; 7] = [
    "status",
    "quarantine_open",
    "quarantine_by_error",
    "quarantine_history",
    "versions",
    "recent_batches",
    "recent_runs",
];

/// The data of the demo, with much happening to it.
async fn demo() -> TestDb {
    let db = TestDb::new().await;
    let apply = ["apply", "sql/examples"];
    Sluice::on(&db).args(apply).run().exits(0);
    for run in [
        &["run", "airlines", "airports", "flights"][..],
        &["run", "flights", "--path", "demo/data/corrections"],
    ] {
        Sluice::on(&db).args(run).run().exits(0);
    }
    db.execute(
        "select * from sluice.replay('flights');
         select sluice.amend(id, '{}', 'nothing of it is known any more, and nobody in the department knows why')
         from sluice.quarantine_open limit 1;
         select sluice.discard('flights', array(select id from sluice.quarantine_open limit 2), 'two of the broken lines of the corrections');
         select sluice.rewind('airlines', to_start => true)",
    )
    .await;
    db
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap()
}

#[tokio::test]
async fn views_for_people_fit_on_100_columns() {
    let Some(psql) = psql() else {
        return;
    };
    let db = demo().await;
    for view in FOR_PEOPLE {
        let shown = ask(&psql, &db, "/dev/null", &format!("table sluice.{view};"));
        assert!(shown.lines().count() > 4, "{shown}");
        assert!(widest(&shown) <= 100, "{view}\n{shown}");
        if std::env::var_os("SLUICE_DOCS_SHOW").is_some() {
            eprintln!("{shown}");
        }
    }
    // The names of pipelines are never cut, as one asks for them; the errors make room.
    db.execute("update sluice.pipelines set name = rpad(name, 40, '_of_the_airports_of_new_york')")
        .await;
    for view in ["quarantine_open", "quarantine_by_error"] {
        let shown = ask(&psql, &db, "/dev/null", &format!("table sluice.{view};"));
        assert!(widest(&shown) <= 100, "{view}\n{shown}");
    }
}

#[tokio::test]
async fn views_for_people_can_be_shown_in_every_encoding() {
    let Some(psql) = psql() else {
        return;
    };
    let db = demo().await;
    for view in FOR_PEOPLE {
        ask(
            &psql,
            &db,
            "/dev/null",
            &format!("set client_encoding = 'LATIN1'; table sluice.{view};"),
        );
    }
}

#[tokio::test]
async fn shortcuts_of_the_psqlrc_work() {
    let Some(psql) = psql() else {
        return;
    };
    let db = demo().await;
    let psqlrc = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/psqlrc");
    let text = std::fs::read_to_string(psqlrc).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("\\set ")?.split(' ').next());
    let mut count = 0;
    for name in names {
        let (input, wanted) = match name {
            "status" => (":status", "flights"),
            "bad" => (":bad", "22P02"),
            "records" => (":records", "error"),
            "record" => (":record 5 \\gx", "payload"),
            "history" => (":history 1;", "amended"),
            "runs" => (":runs", "seconds"),
            "batches" => (":batches", "rewind"),
            "batch" => (":batch 1 \\gx", "cursor_after"),
            "versions" => (":versions", "active"),
            "proof" => (":proof", "(0 rows)"),
            "doctor" => (":doctor", "synchronous_commit"),
            "manual" => (":manual", "define_pipeline"),
            "help" => (":help 'replay';", "quarantined records"),
            _ => panic!("not tested: {name}"),
        };
        let shown = ask(&psql, &db, psqlrc, &format!("{input}\n"));
        assert!(shown.contains(wanted), "{input}\n{shown}");
        count += 1;
    }
    assert_eq!(count, 13);
}

/// `\df+ sluice.*` is the manual: what a function does stands in its first sentence.
#[tokio::test]
async fn every_public_function_is_told_in_a_first_sentence_and_its_arguments_after_it() {
    let db = TestDb::new().await;
    let told = db
        .rows(
            "select p.proname, coalesce(array_to_string(p.proargnames[1:p.pronargs], ' '), ''), d.description
             from pg_proc p left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
             where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\\_%'",
        )
        .await;
    assert!(told.len() > 30);
    // What its name says, or what only the loader passes on.
    let plain = [
        "pipeline",
        "name",
        "version",
        "run_id",
        "epoch",
        "batch_seq",
        "reason",
        "outcome",
        "error",
        "retried",
        "target",
        "transform",
    ];
    let mut missing = Vec::new();
    for line in told {
        let [name, arguments, text] = line.splitn(3, '|').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let first = text.split(". ").next().unwrap().split(": ").next().unwrap();
        if !(15..=130).contains(&first.len()) {
            missing.push(format!("{name}: {first}"));
        }
        for argument in arguments.split(' ') {
            if !plain.contains(&argument) && !text.contains(argument) {
                missing.push(format!("{name} does not tell of {argument}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
