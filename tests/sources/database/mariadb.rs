//! A MariaDB server for the tests, if the machine has one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::sources::file::support::Folder;

struct Server {
    /// Of the authority that signed its certificate.
    ca: PathBuf,
    socket: PathBuf,
    port: u16,
    _running: Child,
    /// Ends the server when this process ends.
    _watchdog: Child,
}

/// The server all tests share; none where it is not installed, which is said aloud.
fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
    folders
        .flat_map(|folder| names.iter().map(move |name| PathBuf::from(folder).join(name)))
        .find(|file| file.exists())
}

fn start() -> Option<Server> {
    let (Some(server), Some(install)) = (find(&["mariadbd"]), find(&["mariadb-install-db"])) else {
        eprintln!("skipped: no mariadbd on this machine (apt-get install mariadb-server)");
        return None;
    };
    let home = tempfile::Builder::new().prefix("sluice-maria-").tempdir_in("/tmp").unwrap().keep();
    let socket = home.join("s");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let data = format!("--datadir={}", home.join("data").display());
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    let made = Command::new(install)
        .args([
            "--no-defaults",
            &data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            &format!("--user={user}"),
        ])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let ca = certify(&home);
    let running = Command::new(server)
        .args([
            "--no-defaults",
            &data,
            &format!("--ssl-cert={}", home.join("cert.pem").display()),
            &format!("--ssl-key={}", home.join("key.pem").display()),
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0",
        ])
        .args([
            format!("--user={user}"),
            format!("--port={port}"),
            format!("--socket={}", socket.display()),
        ])
        .stderr(std::fs::File::create(home.join("log")).unwrap())
        .spawn()
        .unwrap();
    let watchdog = Command::new("sh")
        .args(["-c", "read _; kill $0; sleep 2; rm -rf \"$1\"", &running.id().to_string()])
        .arg(&home)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(std::time::Instant::now() < deadline, "mariadbd does not come up");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Some(Server { ca, socket, port, _running: running, _watchdog: watchdog })
}

/// A certificate for the server, and the file with that of its authority.
fn certify(home: &Path) -> PathBuf {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let params = CertificateParams::new(names).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    std::fs::write(home.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(home.join("key.pem"), key.serialize_pem()).unwrap();
    let ca = home.join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    ca
}

/// A database of its own on the server.
pub(crate) struct Maria {
    server: &'static Server,
    name: String,
    folder: Folder,
}

impl Maria {
    pub(crate) fn new(sql: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = shared()?;
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Folder::new();
        let maria = Maria { server, name, folder };
        maria.send("", &format!("create database {} character set utf8mb4", maria.name));
        maria.folder.write("url", maria.url());
        maria.execute(sql);
        Some(maria)
    }

    pub(crate) fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// The file with the certificate of the server's authority.
    pub(crate) fn ca(&self) -> String {
        self.server.ca.display().to_string()
    }

    /// From here on it is to be reached at another address.
    pub(crate) fn move_to(&self, url: &str) {
        self.folder.write("url", url);
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.send(&self.name, sql);
    }

    fn send(&self, database: &str, sql: &str) {
        let mut client = Command::new("mariadb")
            .args([
                "--no-defaults",
                "--user=root",
                "--default-character-set=utf8mb4",
                &format!("--socket={}", self.server.socket.display()),
                database,
            ])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        client.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        assert!(client.wait().unwrap().success(), "{sql}");
    }

    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings =
            json!({"kind": "mysql", "connection": {"file": self.folder.name("url")}});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    }
}
