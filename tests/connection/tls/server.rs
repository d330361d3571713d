//! A server with certificates, and the authority that issues them.

use crate::connection::{Sandbox, session, value};
use libpq_conninfo::{Environment, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgsluice::db::{Session, connect};
use pgsluice::embedded;
use pgsluice::error::{Error, Result};
use pgsluice::retry::is_retryable_error;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const HBA: &str = "
local   all all                  trust
hostssl all certified 127.0.0.1/32 cert
hostssl all secret    127.0.0.1/32 scram-sha-256
hostssl all encrypted 127.0.0.1/32 trust
hostnossl all plain   127.0.0.1/32 trust
host    all postgres  127.0.0.1/32 trust
";

/// A server on a loopback port, with a certificate for `localhost`.
pub(crate) struct TlsServer {
    process: Child,
    port: u16,
    sandbox: Sandbox,
}

impl TlsServer {
    /// `certificate` and `key` are the server's; `root` is what it trusts clients by.
    pub(crate) async fn start_with(certificate: &str, key: &str, root: &str, ssl: &str) -> Self {
        let sandbox = Sandbox::new();
        let server = sandbox.start();
        let session = session(&server).await;
        session
            .batch_execute(
                "create role encrypted login; create role plain login; create role certified login;
                 create role secret login password 'open sesame'",
            )
            .await
            .unwrap();
        session.close().await;
        embedded::at(sandbox.home()).stop().unwrap();
        for (name, text) in [
            ("server.crt", certificate),
            ("server.key", key),
            ("root.crt", root),
            ("pg_hba.conf", HBA),
        ] {
            give(&server.data, name, text);
        }
        let port = free_port();
        let owner = std::fs::metadata(&server.data).unwrap();
        // Its own words on how it was started begin with the path of the program.
        let started = std::fs::read_to_string(server.data.join("postmaster.opts")).unwrap();
        let mut command = Command::new(started.split_whitespace().next().unwrap());
        command
            .arg("-D")
            .arg(&server.data)
            .arg("-k")
            .arg(&server.socket)
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "ssl_ca_file=root.crt"])
            .args(["-c", &format!("ssl={ssl}"), "-p", &port.to_string()])
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(sandbox.home().join("tls.log")).unwrap());
        if nix::unistd::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command.spawn().unwrap();
        let tls = TlsServer { process, port, sandbox };
        tls.wait().await;
        tls
    }

    pub(crate) async fn start(authority: &Authority) -> Self {
        let (certificate, key) = authority.issue("server", &["localhost"]);
        Self::start_with(&certificate, &key, &authority.certificate, "on").await
    }

    async fn wait(&self) {
        for _ in 0..500 {
            match self.connect("user=postgres sslmode=disable").await {
                Ok(_) => return,
                Err(error) if is_retryable_error(&error) => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        let log = std::fs::read_to_string(self.sandbox.home().join("tls.log")).unwrap();
        panic!("the server does not start: {log}");
    }

    /// Connects to `localhost` at 127.0.0.1 unless `conninfo` says otherwise.
    async fn connect(&self, conninfo: &str) -> Result<Session> {
        let whole = format!(
            "host=localhost hostaddr=127.0.0.1 port={} dbname=sluice {conninfo}",
            self.port
        );
        let environment = Environment::of("ann", "/nonexistent", []);
        connect(&Settings::parse(&whole, &environment)?, "tls test").await
    }

    /// Whether the connection of `conninfo` is encrypted.
    pub(crate) async fn is_encrypted(&self, conninfo: &str) -> bool {
        let session = match self.connect(conninfo).await {
            Ok(session) => session,
            Err(error) => panic!("{conninfo}: {error}"),
        };
        let sql = "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()";
        value(&session, sql).await == "true"
    }

    pub(crate) async fn refusal(&self, conninfo: &str) -> Error {
        match self.connect(conninfo).await {
            Ok(_) => panic!("{conninfo} connected"),
            Err(error) => error,
        }
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.sandbox.home().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap());
        let _ = kill(pid, Signal::SIGQUIT);
        let _ = self.process.wait();
    }
}

/// Puts a file into the cluster, as the server's user would.
fn give(data: &Path, name: &str, text: &str) {
    let path = data.join(name);
    let owner = std::fs::metadata(data).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An authority that issues certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// A certificate and its key.
    pub(crate) fn issue(&self, common_name: &str, hosts: &[&str]) -> (String, String) {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
