//! Every `sslmode` against a real server with a certificate of an authority made here.

mod server;

use pgsluice::retry::is_retryable_error;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use server::{Authority, TlsServer};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn modes_without_verification_encrypt_as_they_promise() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(!server.is_encrypted("user=postgres sslmode=disable").await);
    assert!(!server.is_encrypted("user=postgres sslmode=allow").await);
    assert!(server.is_encrypted("user=postgres").await);
    assert!(server.is_encrypted("user=postgres sslmode=prefer").await);
    assert!(server.is_encrypted("user=postgres sslmode=require").await);
    assert!(
        server.is_encrypted("user=postgres sslmode=require ssl_min_protocol_version=TLSv1.3").await
    );
    // An address alone is enough where no name is checked.
    assert!(server.is_encrypted("user=postgres sslmode=require host=127.0.0.1").await);
}

#[tokio::test]
async fn allow_and_prefer_fall_back_when_the_server_insists() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(server.is_encrypted("user=encrypted sslmode=allow").await);
    assert!(!server.is_encrypted("user=plain sslmode=prefer").await);
    for refused in ["user=encrypted sslmode=disable", "user=plain sslmode=require"] {
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
        server.is_encrypted(&format!("user=postgres sslmode=verify-ca sslrootcert={good}")).await
    );
    assert!(
        server.is_encrypted(&format!("user=postgres sslmode=verify-full sslrootcert={good}")).await
    );
    assert!(
        server.is_encrypted(&format!("user=postgres sslmode=require sslrootcert={good}")).await
    );
    // The certificate is for localhost, not for the address.
    assert!(
        server
            .is_encrypted(&format!(
                "user=postgres sslmode=verify-ca sslrootcert={good} host=127.0.0.1"
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
        let error = server.refusal(&format!("user=postgres {refused}")).await;
        assert!(!is_retryable_error(&error), "{refused}: {error}");
        assert!(error.to_string().contains("ertificate"), "{refused}: {error}");
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
        server.is_encrypted(&format!("user=postgres sslmode=verify-ca sslrootcert={own}")).await
    );
    assert!(
        server.is_encrypted(&format!("user=postgres sslmode=verify-full sslrootcert={own}")).await
    );
    server
        .refusal(&format!("user=postgres sslmode=verify-full sslrootcert={own} host=127.0.0.1"))
        .await;
    server.refusal(&format!("user=postgres sslmode=verify-ca sslrootcert={other}")).await;
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
        .refusal(&format!("user=postgres sslmode=verify-ca sslrootcert={}", own.display()))
        .await;
    assert!(error.to_string().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_from_require_on() {
    let authority = Authority::new("ours");
    let (certificate, key) = authority.issue("server", &["localhost"]);
    let server = TlsServer::start_with(&certificate, &key, &authority.certificate, "off").await;
    assert!(!server.is_encrypted("user=postgres sslmode=prefer").await);
    let error = server.refusal("user=postgres sslmode=require").await;
    assert!(error.to_string().contains("server does not support TLS"), "{error}");
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
    assert!(error.to_string().contains("has group or world access"), "{error}");
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_fatal_and_never_shown() {
    let server = TlsServer::start(&Authority::new("ours")).await;
    assert!(server.is_encrypted("user=secret password='open sesame'").await);
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
    assert!(text.starts_with("28P01 password authentication failed for user \"secret\""), "{text}");
    assert!(text.contains("next:  check the password") && !text.contains("barley"), "{text}");
    let missing = server.refusal("user=secret").await;
    assert!(!is_retryable_error(&missing));
    assert!(missing.to_string().contains("give a password"), "{missing}");
}
