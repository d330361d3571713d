//! Every `sslmode` against a real server with a certificate of an authority made here.

use super::{Sandbox, value};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgsluice::config::{Environment, Target};
use pgsluice::db::{Session, connect};
use pgsluice::embedded::stop;
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
host    all sluice    127.0.0.1/32 trust
";

/// A server on a loopback port, with a certificate for `localhost`.
struct TlsServer {
    process: Child,
    port: u16,
    sandbox: Sandbox,
}

impl TlsServer {
    /// `certificate` and `key` are the server's; `root` is what it trusts clients by.
    async fn start_with(certificate: &str, key: &str, root: &str, ssl: &str) -> Self {
        let sandbox = Sandbox::new();
        let server = sandbox.start();
        let session = super::session(&server).await;
        session
            .batch_execute(
                "create role encrypted login; create role plain login; create role certified login;
                 create role secret login password 'open sesame'",
            )
            .await
            .unwrap();
        session.close().await;
        stop(sandbox.home()).unwrap();
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
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "ssl_ca_file=root.crt",
            ])
            .args(["-c", &format!("ssl={ssl}"), "-p", &port.to_string()])
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(sandbox.home().join("tls.log")).unwrap());
        if nix::unistd::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command.spawn().unwrap();
        let tls = TlsServer {
            process,
            port,
            sandbox,
        };
        tls.wait().await;
        tls
    }

    async fn start(authority: &Authority) -> Self {
        let (certificate, key) = authority.issue("server", &["localhost"]);
        Self::start_with(&certificate, &key, &authority.certificate, "on").await
    }

    async fn wait(&self) {
        for _ in 0..500 {
            match self.connect("user=sluice sslmode=disable").await {
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
        match Target::resolve_in(Some(&whole), &environment)? {
            Target::Server(settings) => connect(&settings, "tls test").await,
            Target::Embedded => panic!("a server was named"),
        }
    }

    /// Whether the connection of `conninfo` is encrypted.
    async fn is_encrypted(&self, conninfo: &str) -> bool {
        let session = match self.connect(conninfo).await {
            Ok(session) => session,
            Err(error) => panic!("{conninfo}: {error}"),
        };
        let sql = "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()";
        value(&session, sql).await == "true"
    }

    async fn refusal(&self, conninfo: &str) -> Error {
        match self.connect(conninfo).await {
            Ok(_) => panic!("{conninfo} connected"),
            Err(error) => error,
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
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
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A certificate and its key.
    fn issue(&self, common_name: &str, hosts: &[&str]) -> (String, String) {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn modes_without_verification_encrypt_as_they_promise() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(!server.is_encrypted("user=sluice sslmode=disable").await);
    assert!(!server.is_encrypted("user=sluice sslmode=allow").await);
    assert!(server.is_encrypted("user=sluice").await);
    assert!(server.is_encrypted("user=sluice sslmode=prefer").await);
    assert!(server.is_encrypted("user=sluice sslmode=require").await);
    assert!(
        server
            .is_encrypted("user=sluice sslmode=require ssl_min_protocol_version=TLSv1.3")
            .await
    );
    // An address alone is enough where no name is checked.
    assert!(
        server
            .is_encrypted("user=sluice sslmode=require host=127.0.0.1")
            .await
    );
}

#[tokio::test]
async fn allow_and_prefer_fall_back_when_the_server_insists() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(server.is_encrypted("user=encrypted sslmode=allow").await);
    assert!(!server.is_encrypted("user=plain sslmode=prefer").await);
    for refused in [
        "user=encrypted sslmode=disable",
        "user=plain sslmode=require",
    ] {
        let error = server.refusal(refused).await;
        assert_eq!(error.sqlstate(), Some("28000"), "{error}");
    }
}

#[tokio::test]
async fn verifying_modes_check_the_authority_and_verify_full_the_name_too() {
    let authority = Authority::new("ours");
    let server = TlsServer::start(&authority).await;
    let good = server.file("good.crt", &authority.certificate);
    let other = server.file("other.crt", &Authority::new("theirs").certificate);
    let (good, other) = (good.display(), other.display());
    assert!(
        server
            .is_encrypted(&format!("user=sluice sslmode=verify-ca sslrootcert={good}"))
            .await
    );
    assert!(
        server
            .is_encrypted(&format!(
                "user=sluice sslmode=verify-full sslrootcert={good}"
            ))
            .await
    );
    assert!(
        server
            .is_encrypted(&format!("user=sluice sslmode=require sslrootcert={good}"))
            .await
    );
    // The certificate is for localhost, not for the address.
    assert!(
        server
            .is_encrypted(&format!(
                "user=sluice sslmode=verify-ca sslrootcert={good} host=127.0.0.1"
            ))
            .await
    );
    for refused in [
        format!("sslmode=verify-full sslrootcert={good} host=127.0.0.1"),
        format!("sslmode=verify-full sslrootcert={good} host=other.example"),
        format!("sslmode=verify-full sslrootcert={other}"),
        format!("sslmode=verify-ca sslrootcert={other}"),
        // As libpq: with root certificates, require verifies the authority.
        format!("sslmode=require sslrootcert={other}"),
        "sslrootcert=system".to_owned(),
    ] {
        let error = server.refusal(&format!("user=sluice {refused}")).await;
        assert!(!is_retryable_error(&error), "{refused}: {error}");
        assert!(
            error.to_string().contains("ertificate"),
            "{refused}: {error}"
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_trusted_by_itself_alone() {
    // What `openssl req -x509` makes: an authority and a server in one.
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let server =
        TlsServer::start_with(&certificate, &key.serialize_pem(), &certificate, "on").await;
    let own = server.file("own.crt", &certificate);
    let other = server.file("other.crt", &Authority::new("theirs").certificate);
    let (own, other) = (own.display(), other.display());
    assert!(
        server
            .is_encrypted(&format!("user=sluice sslmode=verify-ca sslrootcert={own}"))
            .await
    );
    assert!(
        server
            .is_encrypted(&format!(
                "user=sluice sslmode=verify-full sslrootcert={own}"
            ))
            .await
    );
    server
        .refusal(&format!(
            "user=sluice sslmode=verify-full sslrootcert={own} host=127.0.0.1"
        ))
        .await;
    server
        .refusal(&format!(
            "user=sluice sslmode=verify-ca sslrootcert={other}"
        ))
        .await;
}

#[tokio::test]
async fn an_expired_certificate_that_is_its_own_authority_is_refused() {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let server =
        TlsServer::start_with(&certificate, &key.serialize_pem(), &certificate, "on").await;
    let own = server.file("own.crt", &certificate);
    let error = server
        .refusal(&format!(
            "user=sluice sslmode=verify-ca sslrootcert={}",
            own.display()
        ))
        .await;
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_from_require_on() {
    let authority = Authority::new("ours");
    let (certificate, key) = authority.issue("server", &["localhost"]);
    let server = TlsServer::start_with(&certificate, &key, &authority.certificate, "off").await;
    assert!(!server.is_encrypted("user=sluice sslmode=prefer").await);
    let error = server.refusal("user=sluice sslmode=require").await;
    assert!(
        error.to_string().contains("server does not support TLS"),
        "{error}"
    );
    assert!(!is_retryable_error(&error), "{error}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_key_must_be_private() {
    let authority = Authority::new("ours");
    let server = TlsServer::start(&authority).await;
    let (certificate, key) = authority.issue("certified", &[]);
    let cert = server.file("client.crt", &certificate);
    let key = server.file("client.key", &key);
    let conninfo = format!(
        "user=certified sslmode=require sslcert={} sslkey={}",
        cert.display(),
        key.display()
    );
    assert!(server.is_encrypted(&conninfo).await);
    server.refusal("user=certified sslmode=require").await;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = server.refusal(&conninfo).await;
    assert!(
        error.to_string().contains("has group or world access"),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_fatal_and_never_shown() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(
        server
            .is_encrypted("user=secret password='open sesame'")
            .await
    );
    assert!(
        server
            .is_encrypted(
                "user=secret password='open sesame' channel_binding=require sslmode=require"
            )
            .await
    );
    let wrong = server.refusal("user=secret password='open barley'").await;
    assert_eq!(wrong.sqlstate(), Some("28P01"));
    assert!(!is_retryable_error(&wrong));
    let text = wrong.to_string();
    assert!(
        text.starts_with("28P01 password authentication failed for user \"secret\""),
        "{text}"
    );
    assert!(
        text.contains("next:  check the password") && !text.contains("barley"),
        "{text}"
    );
    let missing = server.refusal("user=secret").await;
    assert!(!is_retryable_error(&missing));
    assert!(missing.to_string().contains("give a password"), "{missing}");
}
