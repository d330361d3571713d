//! PgBouncer before the shared server: each transaction may have another session.

use super::TestDb;
use super::server::shared;
use nix::unistd::{Uid, User};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Pooler {
    port: u16,
    /// Ends it when its standard input closes, however the tests end.
    watchdog: Child,
    _folder: tempfile::TempDir,
}

impl Pooler {
    /// In transaction mode, with so many sessions for a database. None where there is no
    /// PgBouncer, which is said.
    pub fn start(sessions: usize) -> Option<Self> {
        let named = std::env::var("PGBOUNCER").ok();
        // The last is in few paths but root's.
        let programs = [named.as_deref(), Some("pgbouncer"), Some("/usr/sbin/pgbouncer")];
        let is_there = |program: &&str| Command::new(program).arg("-V").output().is_ok();
        let Some(program) = programs.into_iter().flatten().find(is_there) else {
            // Not by a macro, whose output the harness keeps to itself.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED, NOT TESTED: there is no pgbouncer in the path, and PGBOUNCER names none"
            );
            return None;
        };
        let host = &shared().settings().hosts[0];
        // Of no use in the folder of the server, which only the server's user may enter.
        let folder = tempfile::tempdir().unwrap();
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = unused.local_addr().unwrap().port();
        let config = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={} user={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {sessions}\nserver_idle_timeout = 1\n",
            host.host,
            host.port,
            shared().settings().user
        );
        std::fs::write(&config, text).unwrap();
        drop(unused);
        let mut line = "\"$0\" \"$1\"".to_owned();
        if Uid::effective().is_root() {
            // It refuses to be root: as the server's user, who may enter the folder of the socket.
            let owner = std::fs::metadata(Path::new(&host.host)).unwrap().uid();
            let owner = User::from_uid(Uid::from_raw(owner)).unwrap().unwrap();
            write!(line, " -u {}", owner.name).unwrap();
        }
        let watchdog = Command::new("sh")
            .arg("-c")
            .arg(format!("{line} & read _; kill -QUIT $!"))
            .arg(program)
            .arg(config)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pooler = Pooler { port, watchdog, _folder: folder };
        for _ in 0..1000 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(pooler);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("pgbouncer takes no connections");
    }

    /// The database as `sluice` sees it through the pooler; the test itself looks past it.
    pub fn before(&self, db: &TestDb) -> TestDb {
        TestDb {
            name: db.name.clone(),
            settings: db.settings.clone(),
            url: format!(
                "postgresql://{}@127.0.0.1:{}/{}?sslmode=disable",
                db.settings.user, self.port, db.name
            ),
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
