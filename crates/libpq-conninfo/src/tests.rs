//! Each test parses in an environment of its own; nothing reads the process environment.

use crate::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tokio_postgres::config::TargetSessionAttrs;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn parse(conninfo: &str, variables: Variables<'_>) -> Result<Settings> {
    let environment = Environment::of("ann", "/nonexistent", variables.iter().copied());
    Settings::parse(conninfo, &environment)
}

fn settings(conninfo: &str, variables: Variables<'_>) -> Settings {
    parse(conninfo, variables).unwrap()
}

fn from_environment(variables: Variables<'_>) -> Option<Settings> {
    let environment = Environment::of("ann", "/nonexistent", variables.iter().copied());
    Settings::from_environment(&environment).unwrap()
}

fn error(conninfo: &str) -> String {
    parse(conninfo, &[]).unwrap_err().to_string()
}

fn hosts(settings: &Settings) -> Vec<(&str, u16)> {
    settings
        .hosts
        .iter()
        .map(|host| (host.host.as_str(), host.port))
        .collect()
}

#[test]
fn variables_that_only_refine_name_no_server() {
    assert_eq!(from_environment(&[]), None);
    let refining = [
        ("PGPASSWORD", "x"),
        ("PGSSLMODE", "require"),
        ("PGHOST", ""),
    ];
    assert_eq!(from_environment(&refining), None);
}

#[test]
fn any_variable_that_names_a_server_is_enough() {
    for name in NAMING_A_SERVER.iter().filter(|name| **name != "PGSERVICE") {
        let value = match *name {
            "PGPORT" => "5433",
            "PGHOSTADDR" => "10.0.0.1",
            _ => "x",
        };
        assert!(from_environment(&[(name, value)]).is_some(), "{name}");
    }
}

#[test]
fn a_url_may_hold_everything() {
    let it = settings(
        "postgresql://us%40er:p%3Aw%2F@one:1,[::1]:2,%2Ftmp%2Fx/d%20b?connect_timeout=7&application_name=n&options=-c%20a%3Db&keepalives_count=9&tcp_user_timeout=1500",
        &[],
    );
    assert_eq!((it.user.as_str(), it.dbname.as_str()), ("us@er", "d b"));
    assert_eq!(hosts(&it), [("one", 1), ("::1", 2), ("/tmp/x", 5432)]);
    assert!(it.hosts[2].is_socket() && !it.hosts[0].is_socket());
    assert_eq!(
        it.hosts[0].password.as_ref().map(Password::reveal),
        Some("p:w/")
    );
    assert_eq!(it.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(it.tcp_user_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(
        it.keepalives.map(|k| (k.idle.as_secs(), k.count)),
        Some((30, 9))
    );
    assert_eq!(it.application_name.as_deref(), Some("n"));
    assert_eq!(it.options.as_deref(), Some("-c a=b"));
}

#[test]
fn a_url_may_name_only_a_socket() {
    let it = settings("postgresql:///shop?host=/run/x&user=ann", &[]);
    assert_eq!(it.to_string(), "ann@/run/x:5432/shop");
}

#[test]
fn key_value_pairs_may_be_quoted_and_escaped() {
    let it = settings(
        r"host = h  user='o\'neil' password='a b\\c' dbname=d\ e port=7",
        &[],
    );
    assert_eq!(it.to_string(), "o'neil@h:7/d e");
    assert_eq!(
        it.hosts[0].password.as_ref().map(Password::reveal),
        Some(r"a b\c")
    );
}

#[test]
fn missing_parts_come_from_the_environment() {
    let it = settings(
        "postgres://host/",
        &[
            ("PGUSER", "bob"),
            ("PGPASSWORD", "pw"),
            ("PGAPPNAME", "app"),
            ("PGTARGETSESSIONATTRS", "read-write"),
        ],
    );
    assert_eq!(it.to_string(), "bob@host:5432/bob");
    assert_eq!(
        it.hosts[0].password.as_ref().map(Password::reveal),
        Some("pw")
    );
    assert_eq!(it.application_name.as_deref(), Some("app"));
    assert_eq!(it.target_session_attrs, TargetSessionAttrs::ReadWrite);
}

#[test]
fn hostaddr_stands_in_for_a_missing_host() {
    let it = settings("hostaddr=10.0.0.1,10.0.0.2 port=1,2", &[]);
    assert_eq!(hosts(&it), [("10.0.0.1", 1), ("10.0.0.2", 2)]);
    assert!(
        error("host=a,b hostaddr=10.0.0.1").contains("could not match 2 host names to 1 hostaddr")
    );
    assert!(error("host=a,b port=1,2,3").contains("could not match 3 port numbers to 2 hosts"));
}

#[test]
fn unknown_and_unsupported_parameters_are_refused_by_name() {
    assert!(
        error("postgres://h/d?schema=public").contains("unknown connection parameter \"schema\"")
    );
    assert!(error("host=h gssencmode=require").contains("\"gssencmode\""));
    assert!(error("host=h sslcrl=/x").contains("\"sslcrl\""));
    assert!(error("host=h sslmode=verify").contains("invalid value \"verify\" for \"sslmode\""));
    assert!(error("mysql://root@h/d").contains("\"mysql://\" is not a Postgres connection URL"));
    settings(
        "host=h gssencmode=prefer client_encoding=UTF8 krbsrvname=x sslcompression=0",
        &[],
    );
}

#[test]
fn no_message_shows_a_password() {
    for url in [
        "postgres://u:s3/cret@h/d",
        // Parts of a password that would pass for a host, a database or a parameter.
        "postgres://u:s@3cret@h/d",
        "postgres://u:x@y/s3cret@h/d",
        "postgres://u:1/s3cret@h/d",
        "postgres://u:1?s3cret=1@h/d",
        "postgres://u:1@s3cret:2@h/d",
        "host=h password=a s3cret=b",
        "postgres://u:s3%zzcret@h/d",
        "host=h password=my cret",
        "host=h password='cret",
        "host=h port=x password=cret",
        "postgres://u:cret@h/d?cret",
        "postgres://u:cret@h:x/d",
        "host=h sslpassword=cret",
    ] {
        let message = error(url);
        assert!(!message.contains("cret"), "{url}: {message}");
    }
    let it = settings("postgres://u:s3cret@h/d", &[]);
    assert!(!format!("{it} {it:?}").contains("s3cret"));
}

#[test]
fn a_service_wins_over_variables_and_loses_to_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("services");
    std::fs::write(&file, "# c\n[other]\nhost=no\n\n[prod]\nhost=db.example\nport=6000\nuser=svc\nsslmode=disable\n[prod2]\nport=1\n").unwrap();
    let variables = [
        ("PGSERVICEFILE", file.to_str().unwrap()),
        ("PGPORT", "7"),
        ("PGUSER", "env"),
    ];
    assert_eq!(
        settings("service=prod dbname=d", &variables).to_string(),
        "svc@db.example:6000/d"
    );
    assert_eq!(
        settings("postgres://me@/d?service=prod", &variables).to_string(),
        "me@db.example:6000/d"
    );
    let by_variable = [variables[0], ("PGSERVICE", "prod")];
    assert_eq!(
        from_environment(&by_variable).unwrap().to_string(),
        "svc@db.example:6000/svc"
    );
    let missing = parse("service=none", &variables).unwrap_err().to_string();
    assert!(
        missing.contains("definition of service \"none\" not found"),
        "{missing}"
    );
}

#[test]
fn a_broken_service_file_is_reported_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("pg_service.conf"),
        "[a]\nhost=x\nnonsense=1\n",
    )
    .unwrap();
    let message = parse(
        "service=a",
        &[("PGSYSCONFDIR", folder.path().to_str().unwrap())],
    )
    .unwrap_err()
    .to_string();
    assert!(
        message.contains("\"nonsense\"") && message.contains("line 3"),
        "{message}"
    );
}

fn password_from(lines: &str, host: &str) -> Option<String> {
    let wanted = passfile::Wanted {
        host,
        port: 5432,
        dbname: "d:b",
        user: "u",
    };
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
    assert_eq!(
        mode(&format!("sslmode=require sslrootcert={root}")),
        SslMode::VerifyCa
    );
    assert_eq!(
        mode(&format!("sslmode=verify-full sslrootcert={root}")),
        SslMode::VerifyFull
    );
    assert_eq!(mode("sslrootcert=system"), SslMode::VerifyFull);
    assert_eq!(
        settings("postgres://h/d?ssl=true", &[]).tls.mode,
        SslMode::Require
    );
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
        Some(RootCertificates::File(
            Path::new(home.path()).join(".postgresql/root.crt")
        ))
    );
}
