//! An installation that an older binary left goes on under this one, and on other servers. The dumps are made by
//! `tests/fixtures/upgrade/make.py`.

mod moved;
mod since;

use super::install::migration;
use super::interface::interface_of;
use crate::support::web::Answer;
use crate::support::{Sluice, Summary, TestDb, Web};
use std::path::Path;
use std::time::{Duration, SystemTime};

const HISTORY: &str = "create schema sluice;
  create table sluice.refinery_schema_history (
    version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))";

/// The restored database, the folder its loader ran in, and the API it read.
struct Old {
    db: TestDb,
    folder: tempfile::TempDir,
    web: Web,
}

impl Old {
    /// Restored and upgraded. `None`: this machine has no psql to read the dump.
    async fn upgraded() -> Option<Self> {
        let old = Old::restored("3cd9cc5", &[]).await?;
        let said = old.sluice("migrate").exits(0).stdout;
        assert!(said.contains("functions replaced"), "{said}");
        Some(old)
    }

    /// The dump of a commit. All but the first of them lack what the migrations of then have made.
    async fn restored(commit: &str, migrations: &[u32]) -> Option<Self> {
        let old = Old {
            db: TestDb::empty().await,
            folder: tempfile::tempdir().unwrap(),
            web: Web::serve(|request| {
                let since = request.param("since").unwrap_or_default();
                let events = (1..=4)
                    .map(|n| (n, format!("2026-01-0{n}T00:00:00Z")))
                    .filter(|(_, at)| at.as_str() >= since)
                    .map(|(n, at)| format!(r#"{{"id": {n}, "at": "{at}"}}"#));
                Answer::json(format!("[{}]", events.collect::<Vec<_>>().join(",")))
            }),
        };
        let folder = old.folder.path().to_str().unwrap();
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/upgrade");
        let dump = std::fs::read_to_string(format!("{fixtures}/{commit}.sql"))
            .unwrap()
            .replace("file:///old/", &format!("file://{folder}/"))
            .replace("http://old.example", &format!("http://{}", old.web.host()));
        if !migrations.is_empty() {
            old.db.execute(HISTORY).await;
        }
        for number in migrations {
            old.db.execute(&migration(*number)).await;
        }
        if !super::install::psql(&old.db, &dump) {
            return None;
        }
        old.put(
            "orders/1.ndjson",
            &[
                r#"{"region": "K\u00f6ln", "id": 1, "amount": 10, "updated_at": "2026-01-01"}"#,
                r#"{"region": "K\u00f6ln", "id": 2, "amount": 20, "updated_at": "2026-01-01"}"#,
                r#"{"region": "Kiel", "id": 1, "amount": 30, "updated_at": "2026-01-01"}"#,
                r#"{"region": "Kiel", "id": 2, "amount": "12,50", "updated_at": "2026-01-01"}"#,
                r#"{"region": "Kiel", "id": 3, "amount": -1, "updated_at": "2026-01-01"}"#,
                r#"{"region": "Kiel", "id": 4, "amount": "none", "updated_at": "2026-01-01"}"#,
                r#"{"region": "K\u00f6ln", "id": 5, "amount": "7,50", "updated_at": "2026-01-01"}"#,
            ],
        );
        old.put(
            "orders/2.ndjson",
            &[
                r#"{"region": "K\u00f6ln", "id": 2, "amount": 21, "updated_at": "2026-01-02"}"#,
                r#"{"region": "K\u00f6ln", "id": 5, "amount": 0, "updated_at": "2026-01-02", "status": "deleted"}"#,
                r#"{"region": "Kiel", "id": 1, "amount": 0, "updated_at": "2026-01-02", "status": "deleted"}"#,
            ],
        );
        old.put("stock.csv", &["sku,pieces", "a-1,11", "b-2,20"]);
        let numbers = (0..300).map(|n| format!(r#"{{"n": {n}, "word": "w{n}"}}"#));
        old.put("numbers/1.ndjson", &numbers.collect::<Vec<_>>());
        old.put("numbers/2.ndjson", &[r#"{"n": "none"}"#]);
        old.put("lake/1.ndjson", &[r#"{"id": 0}"#, r#"{"id": 1}"#, r#"{"id": 2}"#]);
        Some(old)
    }

    /// A file that has been there since the first of January 2026.
    fn put<L: AsRef<str>>(&self, name: &str, lines: &[L]) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text: String = lines.iter().map(|line| line.as_ref().to_owned() + "\n").collect();
        std::fs::write(&path, text).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(then).unwrap();
    }

    fn sluice(&self, args: &str) -> crate::support::sluice::Done {
        let folder: &Path = self.folder.path();
        Sluice::on(&self.db).current_dir(folder).args(args.split(' ')).run()
    }

    /// What a run came to: its counters that are not zero.
    fn run(&self, args: &str) -> String {
        books(&self.sluice(args).exits(0).summary())
    }

    /// Tombstones are found under the hashes that are looked for now, and compared by what they were set by.
    async fn knows_deleted_keys(&self) {
        let of_before = "select d.target, d.key, d.order_by from sluice.tombstones d
            join sluice.pipelines p on p.target = d.target and p.backfill_of is null
            where d.key <> '{}' and d.key_hash <> (sluice._typed_key(p, d.key)).tombstone_hash
              or d.is_typed <> (d.key = '{}')
              or d.order_value is not null and d.order_by is distinct from 'updated_at timestamp with time zone'";
        assert_eq!(self.db.rows(of_before).await, [""; 0]);
    }

    async fn is_sound(&self) {
        let broken = self
            .db
            .rows("select pipeline_name, check_name, detail from sluice.verify(deep => true) where not is_ok")
            .await;
        assert_eq!(broken, [""; 0]);
    }
}

fn books(summary: &Summary) -> String {
    let counted = [
        "extracted",
        "quarantined",
        "inserted",
        "updated",
        "deleted",
        "unchanged",
        "stale",
        "superseded",
        "waiting",
    ];
    let counts = counted
        .iter()
        .filter(|name| summary.values.get(**name).is_some_and(|count| count != "0"))
        .map(|name| format!(" {name}={}", summary.values[*name]));
    summary.outcome.clone() + &counts.collect::<String>()
}

#[tokio::test]
async fn upgraded_installation_is_sound_and_like_a_new_one() {
    let Some(old) = Old::upgraded().await else {
        return;
    };
    old.is_sound().await;
    old.knows_deleted_keys().await;
    let deleted = "select count(*) from sluice.tombstones";
    assert_eq!(old.db.value(deleted).await, "3");
    let verified = old.sluice("verify --deep").exits(0).stdout;
    assert!(verified.contains("ok"), "{verified}");
    let of_the_old = interface_of(&old.db).await;
    for line in interface_of(&TestDb::new().await).await {
        assert!(of_the_old.contains(&line), "missing: {line}");
    }
    assert!(old.sluice("migrate").exits(0).stdout.contains("nothing to do"));
}

#[tokio::test]
async fn next_runs_go_on_where_the_old_ones_ended() {
    if let Some(old) = Old::upgraded().await {
        next_runs_go_on(&old).await;
    }
}

async fn next_runs_go_on(old: &Old) {
    for known in ["orders", "stock", "numbers"] {
        assert_eq!(old.run(&format!("run {known}")), "ok", "{known}");
    }
    // The copy of the object is another object; the API gives what is equal to the mark too.
    assert_eq!(old.run("run lake"), "ok extracted=3 unchanged=3");
    assert_eq!(old.run("run events"), "ok extracted=2 inserted=1 unchanged=1");

    old.put(
        "orders/3.ndjson",
        &[
            r#"{"region": "K\u00f6ln", "id": 1, "amount": 10, "updated_at": "2026-01-01"}"#,
            r#"{"region": "K\u00f6ln", "id": 5, "amount": 9, "updated_at": "2026-01-01"}"#,
            r#"{"region": "Bonn", "id": 1, "amount": 1, "updated_at": "2026-01-03"}"#,
        ],
    );
    assert_eq!(old.run("run orders"), "ok extracted=3 inserted=1 unchanged=1 stale=1");
    old.put("stock.csv", &["sku,pieces", "a-1,11"]);
    assert_eq!(old.run("run stock"), "ok extracted=1 deleted=1 unchanged=1");
    // Row versions of a dump are others than those that were remembered; new ones are, in turn.
    for _ in 0..2 {
        old.sluice("rewind numbers --to-start").exits(0);
        assert_eq!(old.run("run numbers"), "ok extracted=301 quarantined=1 unchanged=300");
    }
    old.is_sound().await;
}

#[tokio::test]
async fn whoever_ran_pipelines_before_they_had_owners_still_does() {
    let Some(old) = Old::upgraded().await else {
        return;
    };
    let owners = "select distinct owner from sluice.owners";
    assert_eq!(old.db.rows(owners).await, ["sluice_operator"]);
    let tables =
        "select count(*) from pg_class where relname ~ '^raw_[0-9]+_[0-9]+$' and relkind = 'r'";
    let days = "select count(*) from sluice.raw_days";
    assert_eq!(old.db.value(days).await, old.db.value(tables).await);
    let role = format!("operator_{}", old.db.name);
    old.db
        .execute(&format!(
            "create role {role} login in role sluice_operator; create role {role}_too login in role sluice_operator;
             do $$ declare v_schema name; begin
               for v_schema in select nspname from pg_namespace where nspname !~ '^(pg_|information_schema|sluice)' loop
                 execute format('grant usage on schema %1$I to {role}; grant all on all tables in schema %1$I to {role};
                   grant execute on all functions in schema %1$I to {role}', v_schema);
               end loop; end $$"
        ))
        .await;
    old.put("stock.csv", &["sku,pieces", "a-1,12"]);
    let done = Sluice::on(&old.db.seen_as(&role))
        .current_dir(old.folder.path())
        .args(["run", "stock"])
        .run()
        .exits(0);
    assert_eq!(books(&done.summary()), "ok extracted=1 updated=1 deleted=1");
    old.is_sound().await;
    // Until they are given away, each to whoever it is of.
    let doctor = old.sluice("doctor").exits(0).stdout;
    assert!(
        doctor.contains("pipelines that belong to sluice_operator: 5; each of its members ("),
        "{doctor}"
    );
    assert!(
        doctor.contains(
            "next:  owners: give them to a team, one by one: sluice set events owner=TEAM"
        ),
        "{doctor}"
    );
    for pipeline in ["orders", "stock", "numbers", "lake", "events"] {
        old.sluice(&format!("set {pipeline} owner={role}")).exits(0);
    }
    let doctor = old.sluice("doctor").exits(0).stdout;
    assert!(!doctor.contains("belong to sluice_operator"), "{doctor}");
}

#[tokio::test]
async fn quarantine_of_the_old_installation_can_be_dealt_with() {
    let Some(old) = Old::upgraded().await else {
        return;
    };
    let open = "select position, sqlstate from sluice.quarantine_open_details order by 1";
    assert_eq!(old.db.rows(open).await, ["5|23514", "6|22P02", "7|22P02"]);
    // One is older than the deletion of its key, two are bad still.
    let replayed =
        "select replayed, quarantined, stale, inserted, unsure from sluice.replay('orders')";
    assert_eq!(old.db.rows(replayed).await, ["1|2|1|0|0"]);
    assert_eq!(old.db.rows(open).await, ["5|23514", "6|22P02"]);
    let amended = r#"select sluice.amend(id, '{"region": "Kiel", "id": 2, "amount": 13, "updated_at": "2026-01-01"}', 'test') from sluice.quarantine_open_details where position = 6"#;
    old.db.execute(amended).await;
    // The backfill saw it last, and what a backfill sets aside is older than the row that the old replay wrote.
    assert_eq!(old.db.rows(replayed).await, ["1|1|1|0|0"]);
    assert_eq!(
        old.db.rows("select region, order_id, amount from shop.orders order by 1, 2").await,
        ["Kiel|2|12.50", "Köln|1|10.00", "Köln|2|21.00"]
    );
    old.sluice("discard orders --where true --reason enough").exits(0);
    assert_eq!(old.db.rows(open).await, [""; 0]);
    old.is_sound().await;
}

#[tokio::test]
async fn what_the_old_installation_kept_is_of_use() {
    let Some(old) = Old::upgraded().await else {
        return;
    };
    let batch = "select min(batch_id) from sluice.batches join sluice.pipelines using (pipeline_id) where name = 'orders'";
    let batch = old.db.value(batch).await;
    let reloaded = format!(
        "select inserted, updated, deleted, unchanged, stale from sluice.reload('orders', '{{{batch}}}')"
    );
    assert_eq!(old.db.rows(&reloaded).await, ["0|0|0|1|2"]);
    assert_eq!(
        old.db
            .rows(r#"select value from sluice.why('orders', '{"region": "K\u00f6ln", "order_id": 1}') where fact in ('row', 'source', 'payload')"#)
            .await,
        [
            "in shop.orders".to_owned(),
            "orders/1.ndjson:1".to_owned(),
            r#"{"region": "K\u00f6ln", "id": 1, "amount": 10, "updated_at": "2026-01-01"}"#.to_owned()
        ]
    );
    let compared = "select sum(records) from sluice.compare('orders', 1, 2) where not is_same";
    assert_eq!(old.db.value(compared).await, "3");
    assert_eq!(old.run("backfill orders --objects orders/1.ndjson"), "ok");
    assert_eq!(
        old.run("backfill orders --objects orders/1.ndjson --again"),
        "ok extracted=7 quarantined=2 unchanged=2 stale=3"
    );
    old.sluice(&format!("rewind orders --to-batch {batch}")).exits(0);
    assert_eq!(old.run("run orders"), "ok extracted=3 unchanged=3");
    old.is_sound().await;
}

#[tokio::test]
async fn every_view_and_report_of_the_upgraded_installation_answers() {
    let Some(old) = Old::upgraded().await else {
        return;
    };
    let views = "select c.oid::regclass from pg_class c where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v'";
    for view in old.db.rows(views).await {
        old.db.rows(&format!("table {view}")).await;
    }
    for report in [
        "status",
        "versions",
        "quarantine orders",
        "quarantine orders --by-error",
        "doctor",
        "why orders {\"region\":\"Kiel\",\"order_id\":2}",
        "compare orders 1 2",
        "rewind orders --to-start --dry-run",
        "replay orders --dry-run",
        "run stock --dry-run",
        "prune orders",
        "apply /dev/null",
    ] {
        let done = old.sluice(report);
        assert!(matches!(done.code, Some(0)), "{report}: {done:?}");
    }
    old.is_sound().await;
}

#[tokio::test]
async fn an_upgrade_that_fails_leaves_tables_and_functions_as_they_were() {
    let Some(old) = Old::restored("3cd9cc5", &[]).await else {
        return;
    };
    // The last step of all is what fails: a function of another type, on which an object of the user depends.
    old.db
        .execute(
            "drop function sluice.merge_sql;
             create function sluice.merge_sql(pipeline text, version integer default null) returns integer language sql as 'select 1';
             create view shop_view as select sluice.merge_sql('x') as statement;",
        )
        .await;
    let before = interface_of(&old.db).await;
    let failed = old.sluice("migrate").exits(1);
    assert!(failed.stderr.contains("merge_sql"), "{}", failed.stderr);
    assert_eq!(interface_of(&old.db).await, before);
}
