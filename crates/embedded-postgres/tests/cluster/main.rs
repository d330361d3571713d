//! The server, with the PostgreSQL installed here; where there is none, it is fetched. Every server is started by the test that
//! uses it, in a folder of its own, and stopped when the test ends, however it ends.
#![allow(clippy::unwrap_used)]

mod sandbox;

use embedded_postgres::{EmbeddedPostgres, Server};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};
use sandbox::{Sandbox, Session, find_the_row, leave_a_row, query, start};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};

#[test]
fn the_first_start_makes_a_server_and_the_second_finds_it() {
    let sandbox = Sandbox::new();
    let first = sandbox.start();
    assert_eq!(sandbox.start(), first);
    let ignored = std::fs::read_to_string(sandbox.home().join(".gitignore")).unwrap();
    assert_eq!(ignored, "*\n");
}

#[test]
fn stopping_what_is_not_there_makes_nothing() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.stop());
    assert!(!sandbox.home().exists());
}

#[test]
fn a_stopped_server_starts_again_with_its_data() {
    let sandbox = Sandbox::new();
    let first = sandbox.start();
    leave_a_row(&first);
    assert!(sandbox.stop());
    assert!(!sandbox.stop());
    let second = sandbox.start();
    assert_ne!(second.pid, first.pid);
    find_the_row(&second);
}

#[test]
fn a_server_killed_with_its_sessions_open_starts_again_with_its_data() {
    let sandbox = Sandbox::new();
    let first = sandbox.start();
    leave_a_row(&first);
    let open = Session::open(&first);
    assert_eq!(open.query("select 'open'").unwrap(), "open");
    kill(Pid::from_raw(first.pid), Signal::SIGKILL).unwrap();
    let second = sandbox.start();
    find_the_row(&second);
    assert!(open.query("select 'still'").is_err());
}

#[test]
fn a_lock_file_whose_number_went_to_another_process_is_no_hindrance() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    sandbox.stop();
    // The number of a process that lives and is not PostgreSQL: this one's.
    let lock_file = server.data.join("postmaster.pid");
    std::fs::write(
        &lock_file,
        format!("{}\n{}\n1\n5432\n", std::process::id(), server.data.display()),
    )
    .unwrap();
    assert!(!sandbox.stop(), "taken for the server");
    sandbox.start();
}

#[test]
fn processes_that_start_at_once_share_one_server_that_outlives_them() {
    let sandbox = Sandbox::new();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "start_in_the_given_home", "--ignored"])
            .env("EMBEDDED_POSTGRES_HOME", sandbox.home())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut starters: Vec<Child> = (0..4).map(|_| start()).collect();
    for starter in &mut starters {
        assert!(starter.wait().unwrap().success());
    }
    let server = sandbox.start();
    let log = std::fs::read_to_string(&server.log).unwrap();
    assert_eq!(log.matches("database system is ready").count(), 1, "{log}");
}

#[test]
#[ignore = "a process of the test above, not a test"]
fn start_in_the_given_home() {
    if let Some(home) = std::env::var_os("EMBEDDED_POSTGRES_HOME") {
        start(&EmbeddedPostgres::new(home, "shop"));
    }
}

#[test]
fn threads_that_start_at_once_share_one_server() {
    let sandbox = Sandbox::new();
    let servers: Vec<Server> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| sandbox.start())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(servers.iter().all(|server| *server == servers[0]), "{servers:?}");
}

#[test]
fn the_server_is_in_a_session_of_its_own_out_of_reach_of_ctrl_c() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    assert_ne!(getsid(Some(Pid::from_raw(server.pid))).unwrap(), getsid(None).unwrap());
}

#[test]
fn a_folder_other_users_cannot_enter_works() {
    let sandbox = Sandbox::private();
    leave_a_row(&sandbox.start());
    sandbox.stop();
    find_the_row(&sandbox.start());
}

#[test]
fn a_deleted_cluster_is_made_anew_wherever_it_was() {
    for sandbox in [Sandbox::new(), Sandbox::private()] {
        let server = sandbox.start();
        sandbox.stop();
        let elsewhere = sandbox.home().join("elsewhere");
        let deleted = match std::fs::read_to_string(&elsewhere) {
            Ok(folder) => folder.trim_end().into(),
            Err(_) => server.data.parent().unwrap().to_owned(),
        };
        std::fs::remove_dir_all(deleted).unwrap();
        assert_eq!(sandbox.start().data, server.data);
    }
}

#[test]
fn a_long_path_with_odd_characters_works() {
    let long = format!("it's $HOME `id` \"a,b\" {}/.postgres", "x".repeat(100));
    let sandbox = Sandbox::at(&long);
    let server = sandbox.start();
    leave_a_row(&server);
    assert!(sandbox.stop());
    let _ = std::fs::remove_dir(&server.socket);
}

#[test]
fn a_long_path_everybody_can_enter_works() {
    let sandbox = Sandbox::at(&format!("it's $HOME `id` \"a,b\" {}/.postgres", "x".repeat(100)));
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(sandbox.folder.path(), open).unwrap();
    let server = sandbox.start();
    assert!(server.data.starts_with(sandbox.home().canonicalize().unwrap()));
    assert!(server.socket.starts_with("/tmp"), "{:?}", server.socket);
    leave_a_row(&server);
    assert!(sandbox.stop());
    std::fs::remove_dir(&server.socket).unwrap();
}

#[test]
fn the_cluster_is_utf8_durable_and_has_no_port() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    for (setting, wanted) in [
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("max_wal_size", "2GB"),
        ("is_superuser", "on"),
    ] {
        assert_eq!(
            query(&server, &format!("select current_setting('{setting}')")),
            wanted,
            "{setting}"
        );
    }
    assert_eq!(query(&server, "select current_user || '@' || current_database()"), "postgres@shop");
    assert!(
        query(&server, "select datcollate::text from pg_database where datname = 'shop'")
            .starts_with('C')
    );
}

#[test]
fn only_the_servers_user_can_enter_the_folder_of_the_socket() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    let socket = std::fs::metadata(&server.socket).unwrap();
    assert_eq!(socket.mode() & 0o777, 0o700);
    assert_eq!(socket.uid(), std::fs::metadata(&server.data).unwrap().uid());
    assert_ne!(socket.uid(), 0);
}

#[test]
fn a_cluster_of_a_version_not_installed_is_refused() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.home().join("pg9/data")).unwrap();
    let message = sandbox.refusal();
    assert!(message.contains("was made by PostgreSQL 9"), "{message}");
}

#[test]
fn a_cluster_in_the_wrong_folder_is_refused() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    sandbox.stop();
    std::fs::write(server.data.join("PG_VERSION"), "14\n").unwrap();
    let message = sandbox.refusal();
    assert!(message.contains("was made by PostgreSQL 14"), "{message}");
}

#[test]
fn a_cluster_cut_short_in_the_making_is_made_again() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    sandbox.stop();
    std::fs::rename(&server.data, server.data.with_file_name("data.new")).unwrap();
    assert_eq!(sandbox.start().data, server.data);
}

#[test]
fn a_failed_start_shows_the_end_of_the_log() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    sandbox.stop();
    std::fs::write(server.data.join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let message = sandbox.refusal();
    assert!(message.contains("log: ") && message.contains("no_such_setting"), "{message}");
    assert!(message.contains("server.log"), "{message}");
}
