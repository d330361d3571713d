//! The server itself is lost: its state comes back from a base backup and the log, or from a
//! standby, and with it the data.

use super::steps::{load_first_batch, row_lock, waiting_in};
use crate::support::server::TestServer;
use crate::support::workload::{BATCH, ONE_WORKER, TWO_WORKERS};
use crate::support::{Loader, Sluice, TestDb, Workload, loader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server of the test's own, with the load's pipeline defined.
async fn primary(load: &Workload) -> (TestServer, TestDb) {
    let server = TestServer::start();
    let db = TestDb::of(&server, "sluice");
    pgsluice::install::migrate(&db.connector()).await.unwrap();
    load.define(&db).await;
    (server, db)
}

/// The program of the server's own version, or none, said aloud.
pub(crate) fn basebackup_of(server: &TestServer) -> Option<PathBuf> {
    let binary = std::fs::read_link(format!("/proc/{}/exe", server.pid())).unwrap();
    let program = binary.with_file_name("pg_basebackup");
    if !program.exists() {
        eprintln!(
            "SKIPPED, NOT TESTED: there is no {}; install the PostgreSQL client programs",
            program.display()
        );
        return None;
    }
    Some(program)
}

/// A folder that the server's user may write to, beside the server's own.
fn folder_for(server: &TestServer, path: &Path) {
    let owner = std::fs::metadata(server.data()).unwrap();
    std::fs::create_dir_all(path).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

/// Takes a base backup into a new home.
pub(crate) fn back_up(server: &TestServer, program: &Path, options: &[&str]) -> PathBuf {
    let home = tempfile::Builder::new().prefix("sluice-test-").tempdir_in("/tmp").unwrap().keep();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = home.join(format!("pg{}", server.server.major));
    folder_for(server, &folder);
    let owner = std::fs::metadata(server.data()).unwrap();
    let mut command = Command::new(program);
    command
        .args(["--checkpoint=fast", "--no-sync", "--pgdata"])
        .arg(folder.join("data"))
        .arg("--dbname")
        .arg(server.server.url())
        .args(options)
        .current_dir("/")
        .stdin(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    home
}

/// Restores a backup up to a goal, and starts the server on it.
fn restore(backup: PathBuf, of: &TestServer, archive: &Path, goal: &str) -> TestServer {
    let data = backup.join(format!("pg{}/data", of.server.major));
    let settings = data.join("postgresql.auto.conf");
    let text = std::fs::read_to_string(&settings).unwrap();
    let text = format!(
        "{text}archive_mode = off\nrestore_command = 'cp \"{}/%f\" \"%p\"'\nrecovery_target_action = promote\n{goal}\n",
        archive.display()
    );
    std::fs::write(&settings, text).unwrap();
    std::fs::write(data.join("recovery.signal"), "").unwrap();
    TestServer::start_in(backup)
}

/// What is there of the load: as many batches as went into target and quarantine.
async fn has_batches(db: &TestDb, batches: usize) {
    assert_eq!(
        db.value(
            "select batch_seq, (select sum(extracted) from sluice.batches) from sluice.etl_state"
        )
        .await,
        format!("{batches}|{}", batches * BATCH)
    );
    Sluice::on(db).args(["verify", "--deep"]).run().exits(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn state_and_data_come_back_together_from_a_point_in_time_restore() {
    let load = Workload::of(6).await;
    let (mut server, db) = primary(load).await;
    let Some(program) = basebackup_of(&server) else {
        return;
    };
    let archive = server.home.join("archive");
    folder_for(&server, &archive);
    let command = format!("cp \"%p\" \"{}/%f\"", archive.display());
    db.execute("alter system set archive_mode = on").await;
    db.execute(&format!("alter system set archive_command = '{command}'")).await;
    server.restart();

    let one_batch = format!("{ONE_WORKER} --max-batches 1");
    load_first_batch(&db).await;
    let backups = [(); 2].map(|()| back_up(&server, &program, &["--wal-method=none"]));
    loader::run(&db, &one_batch).exits(0);
    loader::run(&db, &one_batch).exits(0);
    db.execute("select pg_create_restore_point('three batches')").await;
    // A place in the log where the fourth batch has written rows, and has not committed.
    let lock = row_lock(&db, 2).await;
    let running = Loader::start(&db, ONE_WORKER);
    waiting_in(&db, "load_batch").await;
    let middle = db.value("select pg_current_wal_insert_lsn()").await;
    lock.close().await;
    running.wait().exits(0);
    let last = db.value("select pg_walfile_name(pg_switch_wal())").await;
    db.wait_until(&format!("select last_archived_wal >= '{last}' from pg_stat_archiver")).await;
    load.check(&db, "never disturbed").await;

    let goals = [
        "recovery_target_name = 'three batches'".to_owned(),
        format!("recovery_target_lsn = '{middle}'"),
    ];
    for (backup, goal) in backups.into_iter().zip(goals) {
        let restored = restore(backup, &server, &archive, &goal);
        let db = TestDb::of(&restored, "sluice");
        db.wait_until("select not pg_is_in_recovery()").await;
        has_batches(&db, 3).await;
        loader::run(&db, TWO_WORKERS).exits(0);
        load.check_thoroughly(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_goes_on_at_the_standby_that_was_promoted() {
    let load = Workload::of(6).await;
    let (server, db) = primary(load).await;
    let Some(program) = basebackup_of(&server) else {
        return;
    };
    let options = ["--wal-method=stream", "--write-recovery-conf"];
    let standby = TestServer::start_in(back_up(&server, &program, &options));
    let spare = TestDb::of(&standby, "sluice");

    load_first_batch(&db).await;
    let lock = row_lock(&db, 2).await;
    let url = format!(
        "postgresql:///sluice?host={},{}&port=5432,5432&user=postgres&target_session_attrs=read-write",
        server.server.socket.display(),
        standby.server.socket.display()
    );
    let running = Loader::of(
        Sluice::bare()
            .env("DATABASE_URL", url)
            .args(["run"].into_iter().chain(ONE_WORKER.split(' '))),
    );
    waiting_in(&db, "load_batch").await;
    spare.wait_until("select batch_seq = 1 from sluice.etl_state").await;
    server.kill();
    spare.execute("select pg_promote()").await;
    let summary = running.wait().exits(0).summary();
    assert!(summary.count("retried") > 0, "{summary:?}");
    drop(lock);
    load.check_thoroughly(&spare).await;
}
