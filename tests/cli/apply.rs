//! `sluice apply`: a file is a transaction, and its errors have lines.

use crate::support::{Sluice, TestDb};

fn file(text: &str) -> tempfile::TempPath {
    let path = tempfile::Builder::new()
        .suffix(".sql")
        .tempfile()
        .unwrap()
        .into_temp_path();
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn an_error_names_file_line_and_place_and_nothing_of_the_file_stays() {
    let db = TestDb::new().await;
    let path = file("create table kept_not (a int);\n\nselect 1,\n  nonsense from kept_not;\n");
    let done = Sluice::on(&db)
        .args(["apply"])
        .args([&*path])
        .run()
        .exits(2);
    assert!(
        done.stderr.contains(&format!("{}:4:", path.display())),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("42703 column \"nonsense\" does not exist"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr
            .contains("    4 |   nonsense from kept_not;\n        |   ^"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("nothing of this file was applied"),
        "{}",
        done.stderr
    );
    assert_eq!(db.value("select to_regclass('kept_not')").await, "-");
}

#[tokio::test]
async fn a_wrong_definition_names_the_thing_and_the_next_step() {
    let db = TestDb::new().await;
    let path = file(
        "create table t (id bigint primary key);
         create function t_v1(doc jsonb) returns table (id bigint, nme text) language sql stable as $$ select 1::bigint, 'x' $$;
         select sluice.define_pipeline(name => 'p', version => 1, transform => 't_v1', target => 't', key => '{id}',
           source => sluice.file_source(path => 'x'));",
    );
    let done = Sluice::on(&db)
        .args(["apply"])
        .args([&*path])
        .run()
        .exits(2);
    assert!(done.stderr.contains("has no column nme"), "{}", done.stderr);
    assert!(
        done.stderr.contains("next:  its columns are id"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn psql_commands_are_pointed_out() {
    let db = TestDb::new().await;
    let path = file("\\set x 1\nselect 1;\n");
    let done = Sluice::on(&db)
        .args(["apply"])
        .args([&*path])
        .run()
        .exits(2);
    assert!(
        done.stderr.contains("psql commands are not SQL: \\set x 1"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_folder_is_applied_in_name_order() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.sql"), "insert into t values (1);").unwrap();
    std::fs::write(folder.path().join("a.sql"), "create table t (id int);").unwrap();
    std::fs::write(folder.path().join("c.txt"), "no sql").unwrap();
    Sluice::on(&db)
        .args(["apply"])
        .args([folder.path()])
        .run()
        .exits(0);
    assert_eq!(db.value("select count(*) from t").await, "1");
}

#[tokio::test]
async fn the_examples_apply_twice() {
    let db = TestDb::new().await;
    for _ in 0..2 {
        let done = Sluice::on(&db)
            .args(["apply", "sql/examples"])
            .run()
            .exits(0);
        assert!(
            done.stdout
                .contains("pipeline flights: nyc.flights, version 1 active"),
            "{}",
            done.stdout
        );
    }
}
