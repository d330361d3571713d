//! Installing and upgrading, through the library and through the binary.

use super::interface::interface_of;
use super::{Hand, items_of_ids};
use crate::support::db::rows;
use crate::support::{Sluice, TestDb, server};
use pgsluice::install::migrate;
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Marks the engine as one of another version.
async fn pretend(db: &TestDb, version: &str) {
    db.execute(&format!(
        "update sluice.engine set version = '{version}', bundle_sha256 = 'another'"
    ))
    .await;
}

#[tokio::test]
async fn twenty_migrations_at_once_install_one_engine() {
    let db = TestDb::empty().await;
    let connector = db.connector();
    let results = futures_util::future::join_all((0..20).map(|_| migrate(&connector))).await;
    let installed: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(installed.iter().filter(|it| it.functions_replaced).count(), 1);
    assert_eq!(installed.iter().filter(|it| it.from.is_none()).count(), 1);
    assert_eq!(interface_of(&db).await, interface_of(&TestDb::new().await).await);
}

#[tokio::test]
async fn older_engine_is_upgraded_and_nothing_stale_survives() {
    let db = items_of_ids().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let interface = interface_of(&db).await;
    db.execute(
        "create function sluice.rewind(pipeline text, goal text) returns text language sql as 'select 1::text';
         create function sluice.gone_since() returns text language sql as 'select 1::text';
         update sluice.engine set routines = routines || 'gone_since'::text;
         create or replace function sluice.reject(code text, detail text default null) returns text language sql as 'select code';
         create view sluice.mine as select 1 as a;
         create function sluice.my_own() returns text language sql as 'select 1::text';",
    )
    .await;
    pretend(&db, "0.0.1").await;
    let done = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert_eq!(
        done.stdout,
        format!(
            "engine upgraded from 0.0.1 to {VERSION}: 0 migrations applied, functions replaced\n"
        )
    );
    // What the engine did not make is not the engine's to drop.
    assert_eq!(db.value("select sluice.my_own()").await, "1");
    db.execute("drop view sluice.mine; drop function sluice.my_own").await;
    assert_eq!(interface_of(&db).await, interface);
    assert_eq!(
        db.value("select prolang = (select oid from pg_language where lanname = 'plpgsql') from pg_proc where oid = 'sluice.reject'::regproc").await,
        "t"
    );
    hand.load(&[r#"{"id": 2}"#]).await;
}

#[tokio::test]
async fn newer_engine_is_refused_by_every_command() {
    let db = TestDb::new().await;
    pretend(&db, "99.1.0").await;
    for args in
        [&["migrate"][..], &["migrate", "--dry-run"], &["status"], &["run", "--all"], &["verify"]]
    {
        let done = Sluice::on(&db).args(args).run().exits(2);
        assert!(
            done.stderr.contains(&format!("version 99.1.0, newer than this binary's {VERSION}"))
                && done.stderr.contains("use sluice 99.1.0 or later"),
            "{args:?}: {}",
            done.stderr
        );
    }
    assert_eq!(db.value("select version from sluice.engine").await, "99.1.0");
}

/// Runs a script; `false`: there is no psql, and the test ends here.
#[must_use]
pub(super) fn psql(db: &TestDb, script: &str) -> bool {
    let Some(psql) = server::psql() else {
        return false;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let output = Command::new(psql)
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &db.url, "-f"])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[tokio::test]
async fn dry_run_prints_a_script_that_installs_the_same() {
    let db = TestDb::empty().await;
    let script = Sluice::on(&db).args(["migrate", "--dry-run"]).run().exits(0).stdout;
    assert_eq!(db.value("select to_regnamespace('sluice')").await, "-");
    if !psql(&db, &script) {
        return;
    }
    assert_eq!(interface_of(&db).await, interface_of(&TestDb::new().await).await);
    let rights = "select p.proname, p.proacl is not null and not has_function_privilege('public', p.oid, 'execute') from pg_proc p where pronamespace = 'sluice'::regnamespace order by 1, 2";
    assert_eq!(db.rows(rights).await, TestDb::new().await.rows(rights).await);
    let done = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert_eq!(done.stdout, format!("engine {VERSION} is installed; nothing to do\n"));
    let again = Sluice::on(&db).args(["migrate", "--dry-run"]).run().exits(0).stdout;
    assert_eq!(again, format!("-- sluice {VERSION}: nothing to do\n"));
    // And for an upgrade.
    pretend(&db, "0.0.1").await;
    let upgrade = Sluice::on(&db).args(["migrate", "--dry-run"]).run().exits(0).stdout;
    assert!(psql(&db, &upgrade));
    assert_eq!(db.value("select version from sluice.engine").await, VERSION);
}

#[tokio::test]
async fn dry_run_says_which_functions_an_upgrade_brings_changes_and_drops() {
    let db = TestDb::new().await;
    // As if an older engine had lacked one, had another, and had one more.
    db.execute(
        "drop function sluice.lift_stop;
         create or replace function sluice.pause_pipeline(pipeline text) returns text language sql as 'select pipeline';
         create function sluice.gone_since() returns text language sql as 'select 1::text';
         update sluice.engine set routines = array_remove(routines, 'lift_stop') || 'gone_since'::text;
         update sluice.engine set routine_hashes = sluice._routine_hashes()",
    )
    .await;
    pretend(&db, "0.0.1").await;
    let planned = Sluice::on(&db).args(["migrate", "--dry-run"]).run().exits(0);
    let told = format!(
        "the engine that is there, 0.0.1, becomes {VERSION}:
  new functions: 1
    lift_stop
  other functions: 1
    pause_pipeline
  functions that go: 1
    gone_since
"
    );
    assert!(planned.stderr.ends_with(&told), "{}", planned.stderr);
    let head: String = told.lines().map(|line| format!("-- {line}\n")).collect();
    assert!(planned.stdout.contains(&head), "{}", &planned.stdout[..500]);
    let planned = Sluice::on(&db).args(["migrate", "--dry-run", "--json"]).run().exits(0);
    let planned: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!(
        planned["functions"],
        serde_json::json!({"new": ["lift_stop"], "changed": ["pause_pipeline"], "dropped": ["gone_since"], "edited": []})
    );
}

#[tokio::test]
async fn functions_that_were_edited_by_hand_are_named_before_they_are_as_before() {
    let db = TestDb::new().await;
    let edits = [
        // Its body, its settings, one beside it, none any more.
        "create or replace function sluice.reject(code text, detail text default null) returns text language sql as 'select code'",
        "alter function sluice.verify reset search_path",
        "create function sluice.rewind(pipeline text, goal text) returns text language sql as 'select 1::text'",
        "drop function sluice.lift_stop",
    ];
    let names = "sluice.lift_stop(text,jsonb,text), sluice.reject(text,text), sluice.rewind(text,text), sluice.verify(text,boolean)";
    assert_eq!(db.value("select sluice._edited_routines()").await, "{}");
    for edit in edits {
        db.execute(edit).await;
    }
    let found = "select detail, next from sluice.doctor() where \"check\" = 'engine functions'";
    assert_eq!(
        db.rows(found).await,
        [format!("edited by hand: {names}|sluice migrate makes them again as sluice has them")]
    );
    let planned = Sluice::on(&db).args(["migrate", "--dry-run"]).run().exits(0);
    let list = "edited by hand, and will be lost: 4\n    sluice.lift_stop(text,jsonb,text) sluice.reject(text,text)";
    assert!(planned.stderr.contains(list), "{}", planned.stderr);
    let done = Sluice::on(&db).args(["migrate"]).run().exits(0);
    let told = format!("functions that were edited by hand are as sluice has them again: {names}");
    assert!(done.stderr.contains(&told), "{}", done.stderr);
    assert_eq!(db.rows(found).await, [""; 0]);
    assert_eq!(interface_of(&db).await, interface_of(&TestDb::new().await).await);
}

/// A role that may log in and is nobody's superuser, and the URL to connect as it.
async fn plain_role(db: &TestDb, name: &str, rights: &str) -> String {
    db.execute(&format!(
        "do $$ begin if not exists (select from pg_roles where rolname = '{name}') then create role {name} login; end if;
         exception when duplicate_object or unique_violation then null; end $$; {rights}"
    ))
    .await;
    let user = db.value("select session_user").await;
    let url = db
        .url
        .replace(&format!("{user}@"), &format!("{name}@"))
        .replace(&format!("user={user}"), &format!("user={name}"));
    assert_ne!(url, db.url, "no user to replace");
    url
}

#[tokio::test]
async fn role_that_may_not_create_roles_installs_without_them() {
    // Roles belong to the cluster, so this needs one without them.
    let server = crate::support::server::TestServer::start();
    let admin = TestDb::of(&server, "sluice");
    admin.execute("create database bare").await;
    let db = TestDb::of(&server, "bare");
    let url =
        plain_role(&db, "engine_installer", "grant create on database bare to engine_installer")
            .await;
    let done = Sluice::bare().env("DATABASE_URL", &url).args(["migrate"]).run().exits(0);
    assert!(
        done.stderr.contains("role sluice_operator was not created")
            && done.stderr.contains("ask your DBA"),
        "{}",
        done.stderr
    );
    assert_eq!(
        db.value("select count(*) from pg_roles where rolname like 'sluice\\_%'").await,
        "0"
    );
    assert_eq!(db.value("select installed_by from sluice.engine").await, "engine_installer");
    let done = Sluice::bare().env("DATABASE_URL", &url).args(["migrate"]).run().exits(0);
    assert!(done.stdout.contains("nothing to do"), "{}", done.stdout);
    // The owner of the schema does everything.
    let mut settings = db.settings.clone();
    settings.user = "engine_installer".to_owned();
    let owner = pgsluice::db::connect(&settings, "test").await.unwrap();
    assert_eq!(rows(&owner, "select count(*) from sluice.status").await, ["0"]);
    // Made later, the roles get their rights from the next migration, as the message says.
    db.execute("create role sluice_operator; create role sluice_reader").await;
    Sluice::bare().env("DATABASE_URL", &url).args(["migrate"]).run().exits(0);
    assert_eq!(
        db.value(
            "select has_function_privilege('sluice_operator', 'sluice.verify(text, boolean)', 'execute')"
        )
        .await,
        "t"
    );
}

#[tokio::test]
async fn role_without_create_on_the_database_is_told_what_it_lacks() {
    let db = TestDb::empty().await;
    let url = plain_role(&db, "engine_stranger", "").await;
    let done = Sluice::bare().env("DATABASE_URL", &url).args(["migrate"]).run().exits(1);
    assert!(
        done.stderr.contains("42501") && done.stderr.contains("grant create on database"),
        "{}",
        done.stderr
    );
    assert_eq!(db.value("select to_regnamespace('sluice')").await, "-");
}

#[tokio::test]
async fn views_and_functions_that_depend_on_the_engine_survive_an_upgrade() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create view shop.dashboard as select pipeline, state from sluice.status;
         create function shop.checked(doc jsonb) returns text language sql begin atomic select coalesce(doc->>'a', sluice.reject('no a')); end;
         create view shop.sources as select sluice.file_source('x') as source;",
    )
    .await;
    pretend(&db, "0.0.1").await;
    Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert_eq!(db.value("select count(*) from shop.dashboard").await, "0");
    assert_eq!(db.value("select shop.checked('{\"a\": 1}')").await, "1");
    assert_eq!(db.value("select version from sluice.engine").await, VERSION);
}

#[tokio::test]
async fn upgrade_that_an_object_of_the_user_forbids_fails_whole_and_names_it() {
    let db = TestDb::new().await;
    // As if an older release had returned another type.
    db.execute(
        "drop function sluice.merge_sql;
         create function sluice.merge_sql(pipeline text, version integer default null) returns integer language sql as 'select 1';
         create view shop_view as select sluice.merge_sql('x') as statement;",
    )
    .await;
    pretend(&db, "0.0.1").await;
    let done = Sluice::on(&db).args(["migrate"]).run().exits(1);
    assert!(done.stderr.contains("merge_sql"), "{}", done.stderr);
    assert!(done.stderr.contains("other objects depend on it"), "{}", done.stderr);
    assert_eq!(db.value("select version from sluice.engine").await, "0.0.1");
    assert_eq!(db.value("select statement from shop_view").await, "1");
    assert_eq!(db.value("select to_regproc('sluice.rewind') is not null").await, "t");
}

#[tokio::test]
async fn database_of_another_encoding_is_refused() {
    let admin = TestDb::empty().await;
    let name = format!("{}_latin", admin.name);
    admin
        .execute(&format!("create database {name} encoding 'LATIN1' locale 'C' template template0"))
        .await;
    let db = TestDb::of(crate::support::server::shared(), &name);
    for args in [&["migrate"][..], &["migrate", "--dry-run"]] {
        let done = Sluice::on(&db).args(args).run().exits(2);
        assert!(
            done.stderr.contains("the database has encoding LATIN1")
                && done.stderr.contains("encoding 'UTF8'"),
            "{}",
            done.stderr
        );
    }
    assert_eq!(db.value("select to_regnamespace('sluice')").await, "-");
}

#[tokio::test]
async fn upgrade_waits_for_the_batch_in_flight() {
    let db = items_of_ids().await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    pretend(&db, "0.0.1").await;
    let connector = db.connector();
    let upgrade = tokio::spawn(async move { migrate(&connector).await });
    while db
        .value("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
        .await
        != "1"
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(db.value("select version from sluice.engine").await, "0.0.1");
    hand.transform().await.unwrap();
    assert_eq!(hand.merge().await.unwrap(), "extracted=1 transformed=1 produced=1 inserted=1");
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(upgrade.await.unwrap().unwrap().from.as_deref(), Some("0.0.1"));
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
}

#[tokio::test]
async fn loader_meets_an_engine_that_is_not_its_own_and_says_so() {
    let db = TestDb::new().await;
    db.execute("update sluice.engine set bundle_sha256 = 'another'").await;
    let done = Sluice::on(&db).args(["run", "--all"]).run().exits(2);
    assert!(done.stderr.contains("run \"sluice migrate\" to upgrade it"), "{}", done.stderr);
    let empty = TestDb::empty().await;
    let done = Sluice::on(&empty).args(["status"]).run().exits(2);
    assert!(
        done.stderr.contains("the engine is not installed in this database"),
        "{}",
        done.stderr
    );
}

/// The text of a migration.
pub(super) fn migration(number: u32) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let prefix = format!("V{number}__");
    let path = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix))
        .unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn migrations_give_what_was_there_before_its_history() {
    let db = TestDb::empty().await;
    db.execute("create schema sluice").await;
    for number in 1..=3 {
        db.execute(&migration(number)).await;
    }
    db.execute(
        "begin;
         insert into sluice.pipelines (name, target, source, active_version, max_bad_ratio) values ('items', 'shop.items', '{}', 1, 0.1);
         insert into sluice.transforms (pipeline_id, version, function, takes_meta, columns, key, search_path, function_text, sha256)
         values (1, 1, 'shop.items_v1(jsonb)', false, '{id}', '{id}', '', '', '');
         commit;
         insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, started_at) values (7, 1, 1, 'rewind', now());
         insert into sluice.quarantine (pipeline_id, payload_sha256, payload, version, sqlstate, message, first_batch_id, last_batch_id, status, reason, closed_at, closed_by)
         values (1, '\\x01', 'a', 1, '22P02', 'bad', 7, 7, 'open', null, null, null), (1, '\\x02', 'b', 1, '22P02', 'bad', 7, 7, 'discarded', 'known', now(), 'anna')",
    )
    .await;
    for number in 4..=7 {
        db.execute(&migration(number)).await;
    }
    assert_eq!(
        db.rows("select quarantine_id, event, done_by, reason from sluice.quarantine_events order by event_id").await,
        ["2|quarantined|unknown|-", "2|discarded|anna|known"]
    );
    assert_eq!(db.rows("select version, previous_version from sluice.activations").await, ["1|-"]);
    // Who made the entry is not known, and is not whoever migrates.
    assert_eq!(
        db.value("select batch_seq, recorded_by, origins, missing, retain_raw from sluice.batches join sluice.pipelines using (pipeline_id)").await,
        "1|-|[]|keep|-"
    );
}
