//! `sluice apply`: a call is a transaction, and its errors have lines.

use crate::support::{Sluice, TestDb};

fn file(text: &str) -> tempfile::TempPath {
    let path = tempfile::Builder::new().suffix(".sql").tempfile().unwrap().into_temp_path();
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn an_error_names_file_line_and_place_and_nothing_of_the_file_stays() {
    let db = TestDb::new().await;
    let path = file("create table kept_not (a int);\n\nselect 1,\n  nonsense from kept_not;\n");
    let done = Sluice::on(&db).args(["apply"]).args([&*path]).run().exits(2);
    assert!(done.stderr.contains(&format!("{}:4:", path.display())), "{}", done.stderr);
    assert!(done.stderr.contains("42703 column \"nonsense\" does not exist"), "{}", done.stderr);
    assert!(
        done.stderr.contains("    4 |   nonsense from kept_not;\n        |   ^"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("nothing of this file was applied"), "{}", done.stderr);
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
    let done = Sluice::on(&db).args(["apply"]).args([&*path]).run().exits(2);
    assert!(done.stderr.contains("has no column nme"), "{}", done.stderr);
    assert!(done.stderr.contains("next:  its columns are id"), "{}", done.stderr);
}

#[tokio::test]
async fn a_type_that_stayed_as_it_was_has_a_next_step() {
    let db = TestDb::new().await;
    let of = |fields: &str, result: &str| {
        file(&format!(
            "do $$ begin create type q_in as ({fields}); exception when duplicate_object then null; end $$;
             create or replace function q_v1(r q_in) returns text language sql stable as $$ select {result} $$;"
        ))
    };
    Sluice::on(&db).args(["apply"]).args([&*of("id text", "r.id")]).run().exits(0);
    let changed = of("id text, extra text", "r.extra");
    let done = Sluice::on(&db).args(["apply"]).args([&*changed]).run().exits(2);
    assert!(done.stderr.contains("before the first load drop both"), "{}", done.stderr);
    db.execute("drop type q_in cascade").await;
    Sluice::on(&db).args(["apply"]).args([&*changed]).run().exits(0);
}

/// What `apply` says to a file it refuses, whatever stands in it having left nothing behind.
async fn refused(db: &TestDb, sql: &str) -> String {
    let path = file(sql);
    let done = Sluice::on(db).args(["apply"]).args([&*path]).run().exits(2);
    assert_eq!(db.value("select to_regclass('kept_not')").await, "-");
    done.stderr.replace(&path.display().to_string(), "FILE")
}

#[tokio::test]
async fn transaction_control_is_refused_with_file_and_line_before_anything_runs() {
    let db = TestDb::new().await;
    for control in [
        "commit",
        "BEGIN",
        "/* so be it */ rollback",
        "end",
        "abort work",
        "start transaction read only",
        "prepare transaction 'x'",
    ] {
        let sql = format!("create table kept_not (a int);\nselect ';\ncommit;';\n{control};\n");
        let said = refused(&db, &sql).await;
        assert!(said.contains("FILE:4: "), "{control}: {said}");
        assert!(said.contains("nothing was applied"), "{control}: {said}");
        assert!(said.contains("sluice apply begins and commits"), "{said}");
    }
}

#[tokio::test]
async fn bodies_and_savepoints_are_no_transaction_control() {
    let db = TestDb::new().await;
    let path = file(
        "create function f() returns int language plpgsql as $$ begin return 1; end $$;
         create function g() returns int begin atomic select 1; select case when true then 2 end; end;
         do $$ begin perform 1; end $$;
         savepoint s; select 1 / 1; rollback to s;
         create table kept as select f() + g() as n;",
    );
    Sluice::on(&db).args(["apply"]).args([&*path]).run().exits(0);
    assert_eq!(db.value("select n from kept").await, "3");
}

#[tokio::test]
async fn an_error_at_run_time_names_the_line_of_its_statement() {
    let db = TestDb::new().await;
    let sql = "create table kept_not (a int);\n\n-- divide\nselect\n  1 / a\nfrom (select 0 as a offset 0) t;\n";
    let said = refused(&db, sql).await;
    assert!(said.contains("FILE:4: 22012 division by zero"), "{said}");
    assert!(said.contains("    4 | select\n"), "{said}");
}

#[tokio::test]
async fn psql_commands_and_inline_data_are_refused_with_file_and_line() {
    let db = TestDb::new().await;
    let said = refused(&db, "select 1;\n\\set x 1\n").await;
    assert!(said.contains("FILE:2: psql commands are not SQL: \\set x 1"), "{said}");
    let said = refused(&db, "create table kept_not (a int);\ncopy kept_not from stdin;\n1\n\\.\n");
    let said = said.await;
    assert!(said.contains("FILE:2: copy from stdin"), "{said}");
}

#[tokio::test]
async fn files_of_one_call_are_applied_together_or_not_at_all() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.sql"), "create table kept_not (a int);").unwrap();
    std::fs::write(folder.path().join("b.sql"), "select 1 / 0;").unwrap();
    let done = Sluice::on(&db).args(["apply"]).args([folder.path()]).run().exits(2);
    assert!(
        done.stderr.contains("b.sql:1: 22012") && done.stderr.contains("nothing of these 2 files"),
        "{}",
        done.stderr
    );
    assert_eq!(done.stdout, "");
    assert_eq!(db.value("select to_regclass('kept_not')").await, "-");
}

#[tokio::test]
async fn a_plan_says_what_would_be_done_and_does_nothing() {
    let db = TestDb::new().await;
    let done = Sluice::on(&db).args(["apply", "--plan", "sql/examples"]).run().exits(0);
    assert!(
        done.stdout.contains("pipeline flights: nyc.flights")
            && done.stdout.ends_with("planned only: nothing was changed\n"),
        "{}",
        done.stdout
    );
    assert_eq!(db.value("select count(*) from sluice.pipelines").await, "0");
}

#[tokio::test]
async fn a_folder_is_applied_in_the_order_of_names_and_numbers() {
    let db = TestDb::new().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t_v10.sql"), "insert into t values (1);").unwrap();
    std::fs::write(folder.path().join("t_v9.sql"), "create table t (id int);").unwrap();
    std::fs::write(folder.path().join("c.txt"), "no sql").unwrap();
    std::fs::write(folder.path().join("u.sql"), "-- init failed\n").unwrap();
    let done = Sluice::on(&db).args(["apply"]).args([folder.path()]).run().exits(0);
    let said: Vec<_> = done.stdout.lines().filter_map(|line| line.rsplit_once('/')).collect();
    let said: Vec<_> = said.into_iter().map(|(_, said)| said).collect();
    let order = ["t_v9.sql: applied", "t_v10.sql: applied", "u.sql: has no statement"];
    assert_eq!(said, order);
    assert_eq!(db.value("select count(*) from t").await, "1");
}

#[tokio::test]
async fn the_examples_apply_twice() {
    let db = TestDb::new().await;
    for _ in 0..2 {
        let done = Sluice::on(&db).args(["apply", "sql/examples"]).run().exits(0);
        assert!(
            done.stdout.contains("pipeline flights: nyc.flights, version 1 active"),
            "{}",
            done.stdout
        );
    }
}
