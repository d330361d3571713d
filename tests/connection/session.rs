//! Sessions: settings, notices, errors and ends.

use super::{Sandbox, session, value};
use libpq_conninfo::{Environment, Settings};
use pgsluice::db::{Connector, connect, server_error};
use pgsluice::embedded;
use pgsluice::error::Error;
use pgsluice::retry::{is_retryable, is_retryable_error};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn the_server_knows_us_by_name_and_the_user_s_name_behind_it() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    let mut settings = embedded::settings(&server);
    let name =
        "select current_setting('application_name') || ' ' || current_setting('client_encoding')";
    let ours = connect(&settings, "sluice run orders").await.unwrap();
    assert_eq!(value(&ours, name).await, "sluice run orders UTF8");
    settings.application_name = Some("theirs".to_owned());
    let theirs = connect(&settings, "sluice run orders").await.unwrap();
    // Behind ours, by which takeovers know a loader's sessions.
    assert_eq!(value(&theirs, name).await, "sluice run orders (theirs) UTF8");
}

#[tokio::test]
async fn notices_reach_the_callback_in_order() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let session = Connector::new(&embedded::settings(&server), "test")
        .unwrap()
        .on_notice(move |notice| {
            ear.lock().unwrap().push(format!("{} {}", notice.severity, notice.message))
        })
        .connect()
        .await
        .unwrap();
    session
        .batch_execute(
            "do $$ begin raise notice 'one'; raise warning 'two' using errcode = 'SL042'; end $$",
        )
        .await
        .unwrap();
    assert_eq!(*heard.lock().unwrap(), ["NOTICE one", "WARNING two"]);
}

#[tokio::test]
async fn the_servers_words_code_and_hint_survive() {
    let sandbox = Sandbox::new();
    let session = session(&sandbox.start()).await;
    let error = session.simple_query("select 'x'::int").await.unwrap_err();
    assert!(!is_retryable(&error));
    let error = Error::from(error);
    assert_eq!(error.message(), "22P02 invalid input syntax for type integer: \"x\"");
    assert_eq!(error.sqlstate(), Some("22P02"));

    let raise = "do $$ begin raise exception 'no' using errcode = 'XX777', detail = 'why', hint = 'do this', column = 'c'; end $$";
    let error = session.simple_query(raise).await.unwrap_err();
    let said = server_error(&error).unwrap();
    assert_eq!((said.sqlstate.as_str(), said.column.as_deref()), ("XX777", Some("c")));
    let text = Error::from(error).to_string();
    assert!(
        text.starts_with("XX777 no\n  detail: why\n  column: c\n  where:  PL/pgSQL function"),
        "{text}"
    );
    assert!(text.ends_with("\n  next:  do this"), "{text}");
}

#[tokio::test]
async fn what_follows_a_termination_may_be_tried_again() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    let (victim, killer) = (session(&server).await, session(&server).await);
    let pid: i32 = victim.query_typed_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    killer.execute("select pg_terminate_backend($1)", &[&pid]).await.unwrap();
    let error = victim.simple_query("select 1").await.unwrap_err();
    assert!(is_retryable(&error));
    assert!(is_retryable_error(&Error::from(error)));
}

#[tokio::test]
async fn the_pool_replaces_connections_that_died() {
    let sandbox = Sandbox::new();
    let server = sandbox.start();
    let connector = Connector::new(&embedded::settings(&server), "pooled").unwrap();
    let pool = connector.pool(1).unwrap();
    let pid = async || -> i32 {
        let client = pool.get().await.unwrap();
        client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0)
    };
    let first = pid().await;
    assert_eq!(pid().await, first);
    let killer = session(&server).await;
    killer.execute("select pg_terminate_backend($1, 10000)", &[&first]).await.unwrap();
    assert_ne!(pid().await, first);
}

#[tokio::test]
async fn a_pool_makes_no_more_connections_than_it_may() {
    let sandbox = Sandbox::new();
    let connector = Connector::new(&embedded::settings(&sandbox.start()), "pooled").unwrap();
    let pool = connector.pool(2).unwrap();
    let (_one, _two) = (pool.get().await.unwrap(), pool.get().await.unwrap());
    assert_eq!(pool.status().size, 2);
    assert_eq!(pool.status().max_size, 2);
}

#[tokio::test]
async fn a_missing_database_is_fatal_and_named_with_the_target() {
    let sandbox = Sandbox::new();
    let mut settings = embedded::settings(&sandbox.start());
    settings.dbname = "nowhere".to_owned();
    let error = connect(&settings, "test").await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("3D000"));
    assert!(!is_retryable_error(&error));
    assert!(error.to_string().contains(&settings.to_string()), "{error}");
}

#[tokio::test]
async fn a_refused_connection_is_worth_a_retry() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = connect(&tcp(&format!("host=127.0.0.1 port={port}")), "test").await.unwrap_err();
    assert!(is_retryable_error(&error), "{error}");
    assert!(
        error.to_string().contains(&format!("could not connect to ann@127.0.0.1:{port}/ann")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = tcp(&format!("host=127.0.0.1 port={port} connect_timeout=2 sslmode=disable"));
    let error = connect(&settings, "test").await.unwrap_err();
    assert!(is_retryable_error(&error), "{error}");
    assert!(error.to_string().contains("no answer within"), "{error}");
}

#[tokio::test]
async fn a_dead_host_in_the_list_is_passed_over() {
    let sandbox = Sandbox::new();
    let mut settings = embedded::settings(&sandbox.start());
    let mut dead = settings.hosts[0].clone();
    dead.host = "/nonexistent".to_owned();
    settings.hosts.insert(0, dead);
    assert_eq!(value(&connect(&settings, "test").await.unwrap(), "select 'up'").await, "up");
}

/// The settings of a conninfo, for a user called ann.
fn tcp(conninfo: &str) -> Settings {
    Settings::parse(conninfo, &Environment::of("ann", "/nonexistent", [])).unwrap()
}

#[tokio::test]
async fn the_engine_s_own_conditions_come_without_code_and_call_stack() {
    let sandbox = Sandbox::new();
    let session = session(&sandbox.start()).await;
    let raise = "do $$ begin raise exception 'deposed: run 2 took over' using errcode = 'SL001', detail = 'why', hint = 'do this'; end $$";
    let error = Error::from(session.simple_query(raise).await.unwrap_err());
    assert_eq!(error.kind(), pgsluice::error::Kind::Locked);
    assert_eq!(error.sqlstate(), Some("SL001"));
    assert_eq!(error.to_string(), "deposed: run 2 took over\n  why\n  next:  do this");
}
