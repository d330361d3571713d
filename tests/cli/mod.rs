//! The command line, as a user meets it.

mod apply;
mod backfill;
mod daily;
mod db;
mod demo;
mod diagnostics;
mod doctor;
mod host;
mod init;
mod output;
mod pipeline;
mod planted;
mod proof;
mod psql;
mod replay;
mod retained;
mod rewind;
mod terminal;
mod waiting;

use crate::support::{Sluice, TestDb};

#[tokio::test]
async fn migrate_on_an_installed_database_has_nothing_to_do() {
    let db = TestDb::new().await;
    let done = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert_eq!(
        done.stdout,
        format!("engine {} is installed; nothing to do\n", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn every_command_says_to_migrate_first_when_the_engine_is_missing() {
    let db = TestDb::empty().await;
    for command in [
        &["run", "x"][..],
        &["status"],
        &["apply", "sql/examples"],
        &["verify"],
        &["quarantine", "x"],
    ] {
        let done = Sluice::on(&db).args(command).run().exits(2);
        assert!(
            done.stderr.contains("the engine is not installed in this database"),
            "{}",
            done.stderr
        );
        assert!(done.stderr.contains("next:  run \"sluice migrate\""), "{}", done.stderr);
    }
    let done = Sluice::on(&db).args(["doctor"]).run().exits(1);
    assert!(done.stdout.contains("the engine is not installed"), "{}", done.stdout);
}

#[test]
fn a_wrong_command_line_exits_with_2() {
    for args in [&["run"][..], &["run", "x", "--workers", "0"], &["rewind", "x"], &["frobnicate"]] {
        Sluice::bare().args(args).run().exits(2);
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let done = Sluice::bare().args(["completions", shell]).run().exits(0);
        assert!(done.stdout.contains("quarantine"), "{shell}");
    }
}

#[test]
fn an_unreachable_server_is_named_without_its_password() {
    let done = Sluice::bare()
        .args([
            "status",
            "--database-url",
            "postgres://user:secret-word@127.0.0.1:1/db?connect_timeout=2",
        ])
        .run();
    assert_ne!(done.code, Some(0));
    assert!(done.stderr.contains("127.0.0.1:1"), "{}", done.stderr);
    assert!(!done.stderr.contains("secret-word"), "{}", done.stderr);
}
