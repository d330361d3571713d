//! `verify`, `versions`, `activate`.

use crate::support::{Sluice, TestDb};
use serde_json::Value;

const ITEMS: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, name text);
  create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
  create function shop.items_v2(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, upper(doc->>'name') $$;
  select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => '-'));
  select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => '-'), activate => false);";

async fn loaded() -> TestDb {
    let db = TestDb::new().await;
    db.execute(ITEMS).await;
    run(&db);
    db
}

fn run(db: &TestDb) -> crate::support::Summary {
    let records = b"{\"id\": 1, \"name\": \"a\"}\n{\"id\": 2, \"name\": \"b\"}\n";
    let done = Sluice::on(db).args(["run", "items"]).run_with_input(records);
    done.exits(0).summary()
}

#[tokio::test]
async fn report_of_verify_can_be_filed() {
    let db = loaded().await;
    let done = Sluice::on(&db).args(["verify", "--deep"]).run().exits(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(
        lines[0].starts_with("verified 20") && lines[0].ends_with("Z by postgres, every row"),
        "{}",
        lines[0]
    );
    let server = db
        .value(
            "select format('PostgreSQL %s, system %s, database %s, engine %s', current_setting('server_version'),
               (select system_identifier from pg_control_system()), current_database(), (select version from sluice.engine))",
        )
        .await;
    assert_eq!(lines[1], server);
    assert_eq!(
        lines[2..],
        [
            "ok      items  cursor chain        batches: 1, unbroken",
            "ok      items  objects             the source has none",
            "ok      items  books               records: 2, batches: 1, all accounted for",
            "ok      items  quarantine          open: 0, closed: 0",
            "ok      items  lineage             every row was written by a batch of the ledger",
            "ok      items  tombstones          no key of the target was deleted",
            "ok      items  function checksums  versions: 2, as registered",
            "ok      items  row count           rows: 2, inserted less deleted: 2",
            "ok      items  row hashes          rows: 2, none was edited behind the tool's back",
            "ok: 9 checks",
        ]
    );
}

#[tokio::test]
async fn verify_that_finds_something_says_so_and_exits_with_1() {
    let db = loaded().await;
    db.execute(
        "update shop.items set name = 'x' where id = 2; update sluice.etl_state set batch_seq = 7",
    )
    .await;
    let done = Sluice::on(&db).args(["verify", "items"]).run().exits(1);
    assert!(
        done.stdout.contains("\nNOT OK  items  cursor chain  ")
            && done.stdout.ends_with("\nNOT OK: 1 of 7 checks failed\n"),
        "{}",
        done.stdout
    );
    let done = Sluice::on(&db).args(["verify", "items", "--deep", "--json"]).run().exits(1);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["deep"], true);
    assert_eq!(report["database"], db.name.as_str());
    for name in
        ["verified_at", "verified_by", "server_version", "system_identifier", "engine_version"]
    {
        assert!(report[name].is_string(), "{name}: {report}");
    }
    let failed: Vec<&Value> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| &check["check"])
        .collect();
    assert_eq!(failed, ["cursor chain", "row hashes"]);
}

#[tokio::test]
async fn verify_of_nothing_is_well() {
    let db = TestDb::new().await;
    let done = Sluice::on(&db).args(["verify"]).run().exits(0);
    assert!(
        done.stdout.ends_with("nothing to verify: no pipeline is defined\n"),
        "{}",
        done.stdout
    );
}

#[tokio::test]
async fn candidate_waits_until_it_is_activated_and_the_way_back_is_the_same() {
    let db = loaded().await;
    let versions = |args: &[&str]| {
        let args = ["versions"].iter().chain(args);
        Sluice::on(&db).args(args).run().exits(0).stdout
    };
    let shown = versions(&["items"]);
    assert!(
        shown.contains("1  active     shop.items_v1  ")
            && shown.contains("2  candidate  shop.items_v2\n"),
        "{shown}"
    );
    let activate = |version| {
        let done = Sluice::on(&db).args(["activate", "items", version]).run();
        done.exits(0).stdout
    };
    assert_eq!(activate("2"), "pipeline items: version 2 active (was 1)\n");
    let summary = run(&db);
    assert_eq!((summary.count("updated"), summary.count("version")), (2, 2));
    assert_eq!(activate("1"), "pipeline items: version 1 active (was 2)\n");
    assert_eq!(run(&db).count("updated"), 2);
    let report: Value = serde_json::from_str(&versions(&["--json"])).unwrap();
    assert_eq!(report[0]["state"], "active");
    assert_eq!(report[1]["state"], "retired");
    assert_eq!(report[1]["activated_by"], "postgres");
    assert!(report[1]["function_text"].as_str().unwrap().contains("upper(doc->>'name')"));
    let done = Sluice::on(&db).args(["activate", "items", "3"]).run().exits(2);
    assert!(done.stderr.contains("it has 1, 2"), "{}", done.stderr);
}
