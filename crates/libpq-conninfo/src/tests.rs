//! Each test parses in an environment of its own; nothing reads the process environment.

mod files;

use crate::*;
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
    settings.hosts.iter().map(|host| (host.host.as_str(), host.port)).collect()
}

#[test]
fn variables_that_only_refine_name_no_server() {
    assert_eq!(from_environment(&[]), None);
    let refining = [("PGPASSWORD", "x"), ("PGSSLMODE", "require"), ("PGHOST", "")];
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
    assert_eq!(it.hosts[0].password.as_ref().map(Password::reveal), Some("p:w/"));
    assert_eq!(it.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(it.tcp_user_timeout, Some(Duration::from_millis(1500)));
    assert_eq!(it.keepalives.map(|k| (k.idle.as_secs(), k.count)), Some((30, 9)));
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
    let it = settings(r"host = h  user='o\'neil' password='a b\\c' dbname=d\ e port=7", &[]);
    assert_eq!(it.to_string(), "o'neil@h:7/d e");
    assert_eq!(it.hosts[0].password.as_ref().map(Password::reveal), Some(r"a b\c"));
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
    assert_eq!(it.hosts[0].password.as_ref().map(Password::reveal), Some("pw"));
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
    settings("host=h gssencmode=prefer client_encoding=UTF8 krbsrvname=x sslcompression=0", &[]);
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
