//! The move to another server, as the runbook tells it.

use super::page::text;
use crate::support::server::shared;
use crate::support::workload::{TWO_WORKERS, outcome};
use crate::support::{Sluice, TestDb, Workload, loader};
use std::path::Path;
use std::process::Command;

/// The commands of a section's first block for a shell.
fn commands(section: &str) -> String {
    let runbook = text("docs/runbook.md");
    let (_, rest) = runbook.split_once(&format!("\n## {section}\n")).unwrap();
    let (_, rest) = rest.split_once("\n```sh\n").unwrap();
    rest.split_once("\n```\n").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_go_on_at_the_server_they_were_moved_to() {
    let load = Workload::of(6).await;
    let (old, new) = (load.database().await, TestDb::empty().await);
    loader::run(&old, &format!("{TWO_WORKERS} --max-batches 3")).exits(0);
    // The programs of the server's own version: others may refuse it.
    let server = std::fs::read_link(format!("/proc/{}/exe", shared().pid())).unwrap();
    if !server.with_file_name("pg_dump").exists() {
        eprintln!("SKIPPED, NOT TESTED: there is no pg_dump beside {}", server.display());
        return;
    }
    let sluice = Path::new(env!("CARGO_BIN_EXE_sluice"));
    let path = format!(
        "{}:{}:{}",
        server.parent().unwrap().display(),
        sluice.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-ec", &commands("Moving to another server")])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("SLUICE_ALLOW_ENV", "*")
        .env("SLUICE_ALLOW_FILES", "*")
        .env("SLUICE_ALLOW_HOSTS", "*")
        .env("DATABASE_URL", &old.url)
        .env("NEW_URL", &new.url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("\nok: 9 checks\n"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(outcome(&new).await, outcome(&old).await);
    let done = Sluice::on(&old).args(["run", "orders"]).run().exits(1);
    assert!(done.stderr.contains("is paused"), "{}", done.stderr);
    loader::run(&new, TWO_WORKERS).exits(0);
    load.check_thoroughly(&new).await;
}
