//! What service, password and root certificate files say.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn a_service_wins_over_variables_and_loses_to_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services");
    std::fs::write(&file, "# c\n[other]\nhost=no\n\n[prod]\nhost=db.example\nport=6000\nuser=svc\nsslmode=disable\n[prod2]\nport=1\n").unwrap();
    let variables = [("PGSERVICEFILE", file.to_str().unwrap()), ("PGPORT", "7"), ("PGUSER", "env")];
    assert_eq!(settings("service=prod dbname=d", &variables).to_string(), "svc@db.example:6000/d");
    assert_eq!(
        settings("postgres://me@/d?service=prod", &variables).to_string(),
        "me@db.example:6000/d"
    );
    let by_variable = [variables[0], ("PGSERVICE", "prod")];
    assert_eq!(from_environment(&by_variable).unwrap().to_string(), "svc@db.example:6000/svc");
    let missing = parse("service=none", &variables).unwrap_err().to_string();
    assert!(missing.contains("definition of service \"none\" not found"), "{missing}");
}

#[test]
fn a_broken_service_file_is_reported_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pg_service.conf"), "[a]\nhost=x\nnonsense=1\n").unwrap();
    let message = parse("service=a", &[("PGSYSCONFDIR", folder.path().to_str().unwrap())])
        .unwrap_err()
        .to_string();
    assert!(message.contains("\"nonsense\"") && message.contains("line 3"), "{message}");
}

fn password_from(lines: &str, host: &str) -> Option<String> {
    let wanted = passfile::Wanted { host, port: 5432, dbname: "d:b", user: "u" };
    passfile::find(lines, &wanted)
}

#[test]
fn the_first_fitting_line_of_the_password_file_counts() {
    let lines = "#h:*:*:*:comment\nh:5433:*:*:port\nh:*:d\\:b:u:p\\:w\\\\\nh:*:*:*:later\n*:*:*:*:any:reserved";
    assert_eq!(password_from(lines, "h").as_deref(), Some("p:w\\"));
    assert_eq!(password_from(lines, "else").as_deref(), Some("any"));
    assert_eq!(password_from("h:*:*:*", "h"), None);
    assert_eq!(password_from("\\*:*:*:*:star", "h"), None);
}

#[test]
fn sockets_are_localhost_in_the_password_file_and_open_files_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pass");
    std::fs::write(&file, "localhost:*:*:*:local\nremote:*:*:*:far\n").unwrap();
    let variables = [("PGPASSFILE", file.to_str().unwrap())];
    let password = |url: &str| {
        settings(url, &variables)
            .hosts
            .iter()
            .map(|host| host.password.as_ref().map(|p| p.reveal().to_owned()))
            .collect::<Vec<_>>()
    };
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        password("host=/tmp,remote,other"),
        [Some("local".to_owned()), Some("far".to_owned()), None]
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(password("host=remote"), [None]);
}

#[test]
fn sslmode_follows_libpq() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.crt");
    std::fs::write(&root, "").unwrap();
    let root = root.to_str().unwrap();
    let mode = |text: &str| settings(&format!("host=h {text}"), &[]).tls.mode;
    assert_eq!(mode(""), SslMode::Prefer);
    assert_eq!(mode("sslmode=allow"), SslMode::Allow);
    assert_eq!(mode("sslmode=require"), SslMode::Require);
    assert_eq!(mode(&format!("sslmode=require sslrootcert={root}")), SslMode::VerifyCa);
    assert_eq!(mode(&format!("sslmode=verify-full sslrootcert={root}")), SslMode::VerifyFull);
    assert_eq!(mode("sslrootcert=system"), SslMode::VerifyFull);
    assert_eq!(settings("postgres://h/d?ssl=true", &[]).tls.mode, SslMode::Require);
    assert!(error("host=h sslmode=require sslrootcert=system").contains("works only with"));
    assert!(error("host=h sslmode=verify-ca").contains("root certificate file"));
    assert!(error("host=h sslnegotiation=direct").contains("stronger"));
}

#[test]
fn the_default_root_file_turns_require_into_verify_ca() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".postgresql")).unwrap();
    std::fs::write(home.path().join(".postgresql/root.crt"), "").unwrap();
    let environment = Environment::of("ann", home.path(), []);
    let it = Settings::parse("host=h sslmode=require", &environment).unwrap();
    assert_eq!(it.tls.mode, SslMode::VerifyCa);
    assert_eq!(
        it.tls.roots,
        Some(RootCertificates::File(Path::new(home.path()).join(".postgresql/root.crt")))
    );
}
