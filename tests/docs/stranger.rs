//! The recipes of the README as somebody else has them: a role with no more rights than the page
//! gives it, a server with other pipelines, and cron's environment.

use super::page::{Page, text};
use crate::support::TestDb;
use crate::support::sluice::Done;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The block that has `part` in it.
fn recipe(part: &str) -> String {
    let readme = text("README.md");
    let block = readme
        .split("```")
        .skip(1)
        .step_by(2)
        .find(|block| block.contains(part))
        .unwrap_or_else(|| panic!("README.md has no block with {part}"));
    let (_, body) = block.split_once('\n').unwrap();
    body.to_owned()
}

/// Another pipeline, which is nobody's business here.
const OTHER: &str = "create schema other;
         create table other.customers (id bigint primary key, n serial, name text not null);
         create table other.names (name text primary key);
         create function other.customers_v1(doc jsonb) returns table (id bigint, name text) language sql stable as $$
           select (doc->>'id')::bigint, (select n.name from other.names n where n.name = doc->>'name') $$;
         revoke execute on function other.customers_v1 from public;
         select sluice.define_pipeline(name => 'customers', version => 1, transform => 'other.customers_v1',
           target => 'other.customers', key => '{id}', source => sluice.file_source(path => 'customers'))";

/// The example pipeline beside another one, with its drop, and a login by the page's roles. Its URL.
async fn shop(db: &TestDb, folder: &Path) -> String {
    db.execute(&recipe("create schema if not exists shop")).await;
    db.execute(OTHER).await;
    let login = format!("loader_{}", db.name);
    let roles = recipe("create role loader login")
        .replace("loader", &login)
        .replace("database app", &format!("database {}", db.name))
        .replace("to analyst", &format!("to {login}_analyst"));
    db.execute(&format!("create role {login}_analyst")).await;
    db.execute(&roles).await;
    fs::create_dir(folder.join("drop")).unwrap();
    fs::write(
        folder.join("drop/1.ndjson"),
        "{\"id\": 1, \"amount\": 1, \"updated_at\": \"2026-03-01T08:00:00Z\"}\n",
    )
    .unwrap();
    db.seen_as(&login).url
}

/// A command as cron runs it.
fn cron(command: &str, folder: &Path) -> Done {
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done::of(output)
}

fn sluice(command: &str, url: &str, folder: &Path) -> Done {
    let binary = env!("CARGO_BIN_EXE_sluice");
    let place = folder.display();
    cron(
        &format!(
            "cd {place} && SLUICE_ALLOW_FILES={place} DATABASE_URL='{url}' {binary} {command}"
        ),
        folder,
    )
}

/// What doctor found wrong says what to do about it, but for what is said of `others`.
fn grants(doctor: &Done, others: &str) -> Vec<String> {
    let findings: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let findings = findings.as_array().unwrap().iter();
    findings
        .filter(|finding| finding["verdict"] == "fail")
        .filter(|finding| !finding["check"].as_str().unwrap().ends_with(others))
        .map(|finding| finding["next"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_cron_line_and_the_roles_of_the_readme_load_in_crons_environment() {
    let (db, folder) = (TestDb::new().await, tempfile::tempdir().unwrap());
    let url = shop(&db, folder.path()).await;
    let line = recipe("*/5 * * * *");
    let command = line
        .trim()
        .strip_prefix("*/5 * * * * ")
        .unwrap()
        .replace("/srv/etl", &folder.path().display().to_string())
        .replace("postgres://loader@db/app", &format!("'{url}'"))
        .replace("/usr/local/bin/sluice", env!("CARGO_BIN_EXE_sluice"));
    for inserted in ["inserted=1", "inserted=0"] {
        cron(&command, folder.path()).exits(0);
        let log = fs::read_to_string(folder.path().join("orders.log")).unwrap();
        let last = log.lines().last().unwrap();
        assert!(last.starts_with("orders ok ") && last.contains(inserted), "{log}");
    }
    for look in
        ["status", "quarantine orders", "verify orders --deep", "why orders 1", "drift orders"]
    {
        sluice(look, &url, folder.path()).exits(0);
    }
}

/// No right but those that doctor asks for, pipeline by pipeline.
#[tokio::test]
async fn the_runbook_is_true_for_a_loader_with_the_least_rights_beside_another_pipeline() {
    let db = TestDb::new().await;
    db.execute(&OTHER.replace("name => 'customers'", "name => 'strangers'")).await;
    let login = format!("loader_{}", db.name);
    db.execute(&format!(
        "create role {login} login in role sluice_operator; grant temporary on database {} to {login}",
        db.name
    ))
    .await;
    let url = db.seen_as(&login).url;
    let folder = tempfile::tempdir().unwrap();
    let grant = async || {
        db.execute(&format!(
            "select sluice.set_policy(pipeline, 'owner', '{login}') from sluice.owners
             where owner <> '{login}' and pipeline <> 'strangers' and not is_backfill"
        ))
        .await;
        for _ in 0..4 {
            let doctor = sluice("doctor --json", &url, folder.path());
            let grants = grants(&doctor, " strangers").into_iter();
            for grant in grants.filter(|grant| grant.starts_with("grant ")) {
                db.execute(&grant).await;
            }
        }
    };
    Page::read("docs/runbook.md").play_on(&db, &url, grant).await;
    assert_eq!(
        db.value(&format!("select has_table_privilege('{login}', 'other.customers', 'select')"))
            .await,
        "f"
    );
}

#[tokio::test]
async fn doctor_leads_a_stranger_to_every_right_of_a_second_pipeline() {
    let (db, folder) = (TestDb::new().await, tempfile::tempdir().unwrap());
    let url = shop(&db, folder.path()).await;
    fs::create_dir(folder.path().join("customers")).unwrap();
    fs::write(folder.path().join("customers/1.csv"), "id,name\n1,Anna\n").unwrap();
    db.execute("insert into other.names values ('Anna')").await;
    // Whose it is, too.
    let done = sluice("doctor --json", &url, folder.path());
    let findings: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let mut findings = findings.as_array().unwrap().iter();
    let foreign = findings.find(|finding| finding["check"] == "pipeline customers").unwrap();
    assert!(foreign["detail"].as_str().unwrap().contains("belongs to"), "{foreign}");
    let next = foreign["next"].as_str().unwrap();
    let (_, give) = next.split_once("to give the pipeline away: ").unwrap();
    db.execute(give).await;
    for _ in 0..5 {
        let done = sluice("doctor --json", &url, folder.path());
        let grants = grants(&done, "nothing");
        if grants.is_empty() {
            sluice("run --all", &url, folder.path()).exits(0);
            assert_eq!(db.value("select id, n, name from other.customers").await, "1|1|Anna");
            return;
        }
        for grant in grants {
            assert!(grant.starts_with("grant "), "{grant}: {}", done.stdout);
            db.execute(&grant).await;
        }
    }
    panic!("{}", sluice("doctor", &url, folder.path()).stdout);
}
