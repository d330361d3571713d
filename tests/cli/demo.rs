//! The demo's data gives what `demo/data/expected.json` says, and the demo runs again and again.

use crate::support::{Sluice, Summary, TestDb};
use serde_json::Value;

#[tokio::test]
async fn the_examples_load_the_flights_as_expected() {
    let db = TestDb::new().await;
    let expected: Value =
        serde_json::from_str(include_str!("../../demo/data/expected.json")).unwrap();
    Sluice::on(&db).args(["apply", "sql/examples"]).run().exits(0);
    let check = |summary: &Summary, expected: &Value| {
        for counter in [
            "extracted",
            "transformed",
            "filtered",
            "quarantined",
            "inserted",
            "updated",
            "deleted",
            "unchanged",
            "stale",
            "superseded",
        ] {
            assert_eq!(
                Some(summary.count(counter)),
                expected[counter].as_i64(),
                "{} {counter}",
                summary.pipeline
            );
        }
    };
    let done = Sluice::on(&db).args(["run", "airlines", "airports", "flights"]).run().exits(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    check(&Summary::of(lines[0]), &expected["airlines"]);
    check(&Summary::of(lines[1]), &expected["airports"]);
    check(&Summary::of(lines[2]), &expected["flights"]["first_drop"]);
    let done =
        Sluice::on(&db).args(["run", "flights", "--path", "demo/data/corrections"]).run().exits(0);
    check(&done.summary(), &expected["flights"]["corrections"]);

    // Every broken line is in quarantine, with the error it was broken for.
    let mut wanted: Vec<String> = expected["flights"]["corrections"]["broken_lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{}|{}", line["line"], line["sqlstate"].as_str().unwrap()))
        .collect();
    let mut found = db.rows("select position, sqlstate from sluice.quarantine_open_details").await;
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
}

#[test]
fn the_demo_runs_again_and_again_and_resumes_after_its_own_kill() {
    let home = tempfile::tempdir().unwrap();
    let sluice = || Sluice::bare().env("SLUICE_HOME", home.path()).current_dir(home.path());
    // What a user has on the same server is not the demo's.
    sluice().args(["db", "start"]).run().exits(0);
    let url = |database: &str| {
        let args = ["db", "url", "--database", database];
        sluice().args(args).run().exits(0).stdout.trim_end().to_owned()
    };
    let mine = sluice().env("DATABASE_URL", url("sluice"));
    let mine = mine.env("SLUICE_ALLOW_FILES", "*").args(["migrate"]).run().exits(0);
    assert!(mine.stdout.contains("installed"), "{}", mine.stdout);
    for _ in 0..2 {
        let done = sluice().args(["demo"]).run().exits(0);
        for line in [
            "flights ok extracted=27004 transformed=27004 inserted=27004 batches=2",
            "flights ok extracted=27004 transformed=27004 unchanged=27004 batches=2",
            "flights ok extracted=419 transformed=395 quarantined=24 updated=300 unchanged=60 stale=10 superseded=25",
            "killed (SIGKILL) after ",
            "27004 rows, the same to the byte as before the kill",
        ] {
            assert!(done.stdout.contains(line), "{line}\n{}", done.stdout);
        }
    }
    let pipelines = |database: &str| {
        let status = sluice().env("DATABASE_URL", url(database)).args(["status", "--json"]);
        status.run().exits(0).stdout.matches("\"pipeline\"").count()
    };
    assert_eq!((pipelines("demo"), pipelines("sluice")), (3, 0));
    sluice().args(["db", "stop"]).run().exits(0);
}
