//! `replay`, `amend`, `discard`, `reopen`, and what dry runs show.

use crate::support::{Sluice, TestDb};
use serde_json::Value;

async fn items_db() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, price numeric(8,2), name text, seen_on date);
         create function shop.items_v1(doc jsonb) returns table (id bigint, price numeric, name text)
         language sql stable as $$ select (doc->>'id')::bigint, (doc->>'price')::numeric, doc->>'name' $$;
         create function shop.items_v2(doc jsonb) returns table (id bigint, price numeric, name text)
         language sql stable as $$ select (doc->>'id')::bigint, replace(doc->>'price', ',', '.')::numeric, doc->>'name' $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1);",
    )
    .await;
    run(
        &db,
        &[],
        "{\"id\":1,\"price\":\"1.50\",\"name\":\"cup\"}\n{\"id\":2,\"price\":\"2,50\",\"name\":\"can\"}\n{\"id\":3,\"price\":\"x\",\"name\":\"pan\"}\n",
    );
    db
}

#[track_caller]
fn run(db: &TestDb, args: &[&str], input: &str) -> String {
    let done =
        Sluice::on(db).args(["run", "items"]).args(args).run_with_input(input.as_bytes()).exits(0);
    done.stdout
}

#[track_caller]
fn sluice(db: &TestDb, args: &[&str]) -> (String, String) {
    let done = Sluice::on(db).args(args).run().exits(0);
    (without_seconds(&done.stdout), done.stderr)
}

fn without_seconds(text: &str) -> String {
    text.split(' ').filter(|word| !word.starts_with("seconds=")).collect::<Vec<_>>().join(" ")
}

/// Version 2, a candidate.
async fn register_version_2(db: &TestDb) {
    db.execute(
        "select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1, activate => false)",
    )
    .await;
}

#[tokio::test]
async fn replay_shows_first_and_then_does() {
    let db = items_db().await;
    register_version_2(&db).await;
    let args = ["replay", "items", "--version", "2"];
    let (said, notes) = sluice(&db, &[&args[..], &["--dry-run"]].concat());
    assert_eq!(
        said,
        "would insert id=2: price 2.50, name \"can\"\n\
         items ok replayed=1 quarantined=1 unsure=0 filtered=0 inserted=1 updated=0 deleted=0 unchanged=0 stale=0 superseded=0 batches=1 version=2 dry_run=true\n"
    );
    assert_eq!(notes, "note: 1 still bad: see sluice quarantine items --by-error\n");
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
    let (said, _) = sluice(&db, &[&args[..], &["--where", "payload like '%can%'"]].concat());
    assert_eq!(
        said,
        "items ok replayed=1 quarantined=0 unsure=0 filtered=0 inserted=1 updated=0 deleted=0 unchanged=0 stale=0 superseded=0 batches=1 version=2\n"
    );
    assert_eq!(db.rows("select id, price from shop.items order by 1").await, ["1|1.50", "2|2.50"]);
    let done = Sluice::on(&db).args(["replay", "items", "--where", "nonsense"]).run().exits(2);
    assert!(
        done.stderr.contains("filter 'nonsense' cannot be used")
            && done.stderr.contains("next:  a condition on the columns"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn amended_records_are_replayed_and_the_rest_is_discarded() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["amend", "2", "--reason", "asked the shop"])
        .run_with_input(b"{\"id\":3,\"price\":\"3.50\",\"name\":\"pan\"}\n")
        .exits(0);
    assert_eq!(done.stdout, "quarantined record 2 amended; sluice.replay loads it\n");
    let (said, _) = sluice(&db, &["replay", "items", "--ids", "2", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["replayed"], 1);
    assert_eq!(report["outcome"], "ok");
    assert_eq!(
        db.value(
            "select convert_from(payload, 'UTF8') from sluice.quarantine where status = 'replayed'"
        )
        .await,
        "{\"id\":3,\"price\":\"3.50\",\"name\":\"pan\"}"
    );
    let (said, _) = sluice(&db, &["quarantine", "items", "--where", "payload like '%can%'"]);
    assert!(said.lines().count() == 2 && said.contains("2,50"), "{said}");
    let discard = ["discard", "items", "--where", "sqlstate = '22P02'"];
    Sluice::on(&db).args(discard).run().exits(2);
    let (said, _) = sluice(&db, &[&discard[..], &["--dry-run"]].concat());
    assert!(said.contains("2,50") && said.ends_with("would discard: records=1\n"), "{said}");
    let (said, _) = sluice(&db, &[&discard[..], &["--reason", "typo"]].concat());
    assert_eq!(said, "items discarded=1\n");
    assert_eq!(
        db.rows("select id, event, message from sluice.quarantine_history_details where event in ('amended', 'discarded')").await,
        ["1|discarded|typo", "2|amended|asked the shop"]
    );
    let reopen = ["reopen", "items", "--where", "reason = 'typo'"];
    let (said, _) = sluice(&db, &[&reopen[..], &["--dry-run"]].concat());
    assert!(said.ends_with("would reopen: records=1\n"), "{said}");
    let (said, _) = sluice(&db, &[&reopen[..], &["--json"]].concat());
    assert_eq!(said, "{\"pipeline\":\"items\",\"reopened\":1}\n");
}

#[tokio::test]
async fn which_records_are_closed_or_opened_has_to_be_said() {
    let db = items_db().await;
    for command in [&["discard", "items", "--reason", "all of it"][..], &["reopen", "items"]] {
        let done = Sluice::on(&db).args(command.to_vec()).run().exits(2);
        assert!(done.stderr.contains("<--where <SQL>|--ids <ID,...>|--all>"), "{done:?}");
        let both = [command, &["--all", "--ids", "1"]].concat();
        Sluice::on(&db).args(both).run().exits(2);
        let unknown = [command, &["--ids", "99"]].concat();
        let done = Sluice::on(&db).args(unknown).run().exits(2);
        assert!(done.stderr.contains("no quarantined record 99"), "{done:?}");
    }
    let (said, _) = sluice(&db, &["discard", "items", "--all", "--reason", "rubbish"]);
    assert_eq!(said, "items discarded=2\n");
}

#[tokio::test]
async fn payloads_are_edited_and_go_back() {
    let db = items_db().await;
    let payload = "select payload from sluice.quarantine_open_details where id = 1";
    let before = db.value(payload).await;
    let amend = ["amend", "1", "--reason", "decimal comma"];
    let edit = |editor: &str| {
        let command = Sluice::on(&db).env("VISUAL", "").env("EDITOR", editor);
        command.args([&amend[..], &["--edit"]].concat()).run()
    };
    let done = edit("true").exits(2);
    assert!(done.stderr.contains("came back as it was"), "{done:?}");
    let done = edit("exit 3; true").exits(1);
    assert!(done.stderr.contains("nothing was changed"), "{done:?}");
    let nowhere = Sluice::on(&db).env("TMPDIR", "/nonexistent").args(amend).args(["--edit"]);
    let done = nowhere.run().exits(1);
    assert!(done.stderr.contains("check the folder for temporary files (TMPDIR)"), "{done:?}");
    let done = edit("sed -i s/}//").exits(2);
    assert!(done.stderr.contains("the payload is no JSON"), "{done:?}");
    assert_eq!(db.value(payload).await, before);
    edit("sed -i s/2,50/2.50/").exits(0);
    assert_eq!(db.value(payload).await, before.replace("2,50", "2.50"));
    for empty in ["", "\n"] {
        let done = Sluice::on(&db).args(amend).run_with_input(empty.as_bytes());
        let done = done.exits(2);
        assert!(done.stderr.contains("there is no payload on standard input"), "{done:?}");
    }
    let (said, _) = sluice(&db, &[&amend[..], &["--restore"]].concat());
    assert_eq!(said, "quarantined record 1 is as it came\n");
    assert_eq!(db.value(payload).await, before);
}

#[tokio::test]
async fn a_dry_run_lists_changed_cells_and_changes_nothing() {
    let db = items_db().await;
    let input = "{\"id\":1,\"price\":\"1.75\",\"name\":null}\n{\"id\":4,\"price\":\"4\"}\n{\"id\":5,\"price\":\"5\"}\n{\"id\":6,\"price\":\"?\"}\n";
    let said = run(&db, &["--dry-run", "--changes", "2"], input);
    assert_eq!(
        without_seconds(&said),
        "would update id=1: price 1.50 → 1.75, name \"cup\" → null\n\
         would insert id=4: price 4.00\n\
         ... and 1 rows more (--changes N shows more, --json all)\n\
         would quarantine 1 × 22P02 invalid input syntax for type numeric: \"?\" (column price)\n\
         items ok extracted=4 transformed=3 filtered=0 quarantined=1 inserted=2 updated=1 deleted=0 unchanged=0 stale=0 superseded=0 retried=0 batches=1 version=1 dry_run=true waiting=0\n"
    );
    let said = run(&db, &["--dry-run", "--json"], input);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0].to_string(),
        r#"{"pipeline":"items","change":{"action":"update","key":{"id":1},"changes":{"price":[1.5,1.75],"name":["cup",null]}}}"#
    );
    // As the server wrote it: no number passes through floating point.
    assert!(said.contains("[1.50, 1.75]"), "{said}");
    assert_eq!(lines[3]["updated"], 1);
    assert_eq!(db.rows("select id, price, name from shop.items").await, ["1|1.50|cup"]);
}

#[tokio::test]
async fn a_run_says_that_orphans_found_their_parents() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.nodes (id bigint primary key, parent bigint references shop.nodes);
         create function shop.nodes_v1(doc jsonb) returns table (id bigint, parent bigint)
         language sql stable as $$ select (doc->>'id')::bigint, (doc->>'parent')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.nodes_v1', target => 'shop.nodes',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1);",
    )
    .await;
    // A child in an earlier batch than its parent, of the same run.
    let done = Sluice::on(&db)
        .args(["run", "items", "--batch-rows", "1"])
        .run_with_input(b"{\"id\":2,\"parent\":1}\n{\"id\":1}\n{\"id\":3,\"parent\":9}\n")
        .exits(0);
    assert_eq!(
        done.stderr,
        "note: 1 quarantined records found their parent rows and were loaded\n"
    );
    assert_eq!(db.rows("select id, parent from shop.nodes order by 1").await, ["1|-", "2|1"]);
    // The parent came by another way: the next run finds it, though it reads nothing new.
    db.execute("insert into shop.nodes values (9)").await;
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(b"").exits(0);
    assert!(done.stderr.contains("1 quarantined records"), "{done:?}");
    assert_eq!(db.value("select count(*) from sluice.quarantine_open").await, "0");
}
