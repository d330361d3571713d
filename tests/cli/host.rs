//! What a pipeline cannot get out of the machine it runs on, whatever its definition says.

use crate::support::sluice::{Done, write_program};
use crate::support::web::Answer;
use crate::support::{Sluice, TestDb, Web};
use std::os::unix::fs::symlink;

/// A database with a pipeline of this source.
async fn pipeline(source: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create table t (id bigint primary key, body text);
         create function t_v1(doc jsonb) returns table (id bigint, body text) language sql stable
           return ((doc->>'id')::bigint, doc::text);
         select sluice.define_pipeline(name => 'p', version => 1, transform => 't_v1', target => 't', key => '{{id}}',
           source => {source})"
    ))
    .await;
    db
}

fn run(db: &TestDb, rules: &[(&str, &str)]) -> Done {
    let closed =
        ["SLUICE_ALLOW_ENV", "SLUICE_ALLOW_FILES", "SLUICE_ALLOW_HOSTS", "SLUICE_ALLOW_PROGRAMS"];
    let sluice = closed.into_iter().fold(Sluice::on(db), |sluice, name| sluice.without(name));
    rules
        .iter()
        .fold(sluice, |sluice, (name, value)| sluice.env(name, value))
        .args(["run", "p"])
        .run()
}

fn refused(db: &TestDb, rules: &[(&str, &str)], said: &str) {
    let done = run(db, rules).exits(2);
    assert!(done.stderr.contains(said), "{}", done.stderr);
}

#[tokio::test]
async fn a_file_outside_of_the_given_folders_is_not_read() {
    let given = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.ndjson");
    std::fs::write(&secret, "{\"id\": 1}\n").unwrap();
    symlink(&secret, given.path().join("link.ndjson")).unwrap();
    let folder = given.path().to_str().unwrap();
    let rules = [("SLUICE_ALLOW_FILES", folder)];
    for path in [
        "/etc/passwd".to_owned(),
        "/etc/pass*".to_owned(),
        secret.display().to_string(),
        format!("{folder}/../{}", secret.strip_prefix("/tmp").unwrap().display()),
        format!("{folder}/link.ndjson"),
    ] {
        let db =
            pipeline(&format!("sluice.file_source(path => '{path}', format => 'ndjson')")).await;
        refused(&db, &rules, "SLUICE_ALLOW_FILES");
        refused(&db, &[], "SLUICE_ALLOW_FILES gives nothing");
        assert_eq!(db.value("select count(*) from t").await, "0", "{path}");
    }
}

#[tokio::test]
async fn a_link_that_leads_out_of_a_folder_is_passed_over_unless_its_end_is_given() {
    let place = tempfile::tempdir().unwrap();
    for folder in ["drop/in", "archive"] {
        std::fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    let at = |name: &str| place.path().join(name).display().to_string();
    std::fs::write(at("archive/a.ndjson"), "{\"id\": 1}\n").unwrap();
    std::fs::write(at("drop/in/b.ndjson"), "{\"id\": 2}\n").unwrap();
    symlink(at("archive/a.ndjson"), at("drop/file.ndjson")).unwrap();
    symlink(at("archive"), at("drop/folder")).unwrap();
    symlink(at("drop/in/b.ndjson"), at("drop/inside.ndjson")).unwrap();
    let (drop, both) = (at("drop"), format!("{}:{}", at("drop"), at("archive")));
    let (all, above) = ("*".to_owned(), at(""));
    for source in [
        format!("sluice.file_source(path => '{drop}')"),
        format!("sluice.file_source(path => '{drop}/**/*.ndjson')"),
        format!("sluice.object_source(url => 'file://{drop}/')"),
    ] {
        for rules in [&drop, &all, &above] {
            let db = pipeline(&source).await;
            let done = run(&db, &[("SLUICE_ALLOW_FILES", rules)]).exits(0);
            assert!(done.stderr.contains("out of the folder"), "{source} {rules}: {}", done.stderr);
            assert_eq!(db.rows("select id from t").await, ["2"], "{source} {rules}");
        }
        let db = pipeline(&source).await;
        run(&db, &[("SLUICE_ALLOW_FILES", &both)]).exits(0);
        assert_eq!(db.rows("select id from t order by 1").await, ["1", "2"], "{source}");
    }
}

#[tokio::test]
async fn a_file_in_a_given_folder_and_a_path_of_the_command_line_are_read() {
    let given = tempfile::tempdir().unwrap();
    let file = given.path().join("a.ndjson");
    std::fs::write(&file, "{\"id\": 1}\n").unwrap();
    let db = pipeline(&format!("sluice.file_source(path => '{}')", file.display())).await;
    run(&db, &[("SLUICE_ALLOW_FILES", given.path().to_str().unwrap())]).exits(0);
    assert_eq!(db.value("select count(*) from t").await, "1");
    let other = given.path().join("b.ndjson");
    std::fs::write(&other, "{\"id\": 2}\n").unwrap();
    Sluice::on(&db)
        .without("SLUICE_ALLOW_FILES")
        .args(["run", "p", "--path"])
        .args([&other])
        .run()
        .exits(0);
    assert_eq!(db.value("select count(*) from t").await, "2");
}

#[tokio::test]
async fn the_way_to_the_database_and_what_is_not_given_is_sent_nowhere() {
    let web = Web::serve(|_| Answer::json("[]"));
    for (variable, said) in [
        ("DATABASE_URL", "never given to a pipeline"),
        ("PGPASSWORD", "never given to a pipeline"),
        ("HOME", "SLUICE_ALLOW_ENV=SHOP_*,HOME"),
    ] {
        let db = pipeline(&format!(
            "sluice.http_source(url => '{}', auth => sluice.bearer_auth(env => '{variable}'))",
            web.url
        ))
        .await;
        let rules = [("SLUICE_ALLOW_HOSTS", "*"), ("SLUICE_ALLOW_ENV", "SHOP_*")];
        refused(&db, &rules, said);
    }
    assert_eq!(web.requests().len(), 0);
}

#[tokio::test]
async fn hosts_that_are_not_given_are_not_asked_for_anything() {
    for url in ["http://169.254.169.254/latest/meta-data", "http://localhost:5432/"] {
        let db = pipeline(&format!("sluice.http_source(url => '{url}')")).await;
        refused(&db, &[("SLUICE_ALLOW_HOSTS", "api.example")], "SLUICE_ALLOW_HOSTS=api.example,");
    }
    let db = pipeline("sluice.object_source(url => 's3://others/drop/')").await;
    refused(
        &db,
        &[("SLUICE_ALLOW_HOSTS", "s3://ours")],
        "SLUICE_ALLOW_HOSTS=s3://ours,s3://others",
    );
}

#[tokio::test]
async fn a_redirect_leads_to_no_host_that_is_not_given() {
    let inside = Web::serve(|_| Answer::json("[]"));
    let port = inside.host().rsplit_once(':').unwrap().1.to_owned();
    let to = format!("http://localhost:{port}/");
    let home = Web::serve(move |_| Answer::status(302, "").header("Location", &to));
    let db = pipeline(&format!(
        "sluice.http_source(url => '{}', allow_hosts => '{{localhost:{port}}}')",
        home.url
    ))
    .await;
    let rules = [("SLUICE_ALLOW_HOSTS", "127.0.0.1")];
    refused(&db, &rules, "SLUICE_ALLOW_HOSTS=127.0.0.1,localhost");
    assert_eq!((home.requests().len(), inside.requests().len()), (1, 0));
}

#[tokio::test]
async fn programs_are_started_if_the_host_gives_them_and_with_nothing_of_the_loaders() {
    let folder = tempfile::tempdir().unwrap();
    let tap = folder.path().join("list-items");
    write_program(&tap, "#!/bin/sh\nenv > \"$1\"\necho id; echo 1\n");
    let seen = folder.path().join("env");
    let db = pipeline(&format!(
        "sluice.program_source(program => 'list-items', protocol => 'csv', arguments => array['{}'], env => '{{SHOP_KEY}}')",
        seen.display()
    ))
    .await;
    let given = folder.path().to_str().unwrap();
    refused(&db, &[], "SLUICE_ALLOW_PROGRAMS gives nothing");
    refused(
        &db,
        &[("SLUICE_ALLOW_PROGRAMS", "/usr/bin:/bin")],
        "asks for the program \"list-items\"",
    );
    refused(&db, &[("SLUICE_ALLOW_PROGRAMS", given)], "SLUICE_ALLOW_ENV=SHOP_KEY");
    assert!(!seen.exists(), "not started");
    let rules = [
        ("SLUICE_ALLOW_PROGRAMS", given),
        ("SLUICE_ALLOW_ENV", "SHOP_*"),
        ("SHOP_KEY", "k3y"),
        ("SHOP_OTHER", "x"),
    ];
    run(&db, &rules).exits(0);
    assert_eq!(db.value("select count(*) from t").await, "1");
    let seen = std::fs::read_to_string(&seen).unwrap();
    assert!(seen.contains("SHOP_KEY=k3y") && !seen.contains("SHOP_OTHER"), "{seen}");
    assert!(!seen.contains("DATABASE_URL") && !seen.contains("PGPASS"), "{seen}");
    let done = Sluice::on(&db).args(["run", "p", "--path", "x.csv"]).run().exits(2);
    assert!(done.stderr.contains("--path"), "{}", done.stderr);
}

#[tokio::test]
async fn a_program_that_may_not_be_executed_or_is_misspelt_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list-items"), "#!/bin/sh\n").unwrap();
    write_program(&folder.path().join("list-orders"), "#!/bin/sh\n");
    let given = [("SLUICE_ALLOW_PROGRAMS", folder.path().to_str().unwrap())];
    for (program, said) in [
        ("list-items", "list-items\" may not be executed\n  next:  chmod +x "),
        ("list-order", "it gives list-orders\n"),
    ] {
        let source = format!("sluice.program_source(program => '{program}', protocol => 'csv')");
        refused(&pipeline(&source).await, &given, said);
    }
}
