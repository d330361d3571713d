//! What the host gives, and what it never does.

use serde_json::json;

use super::support::{Shop, wait};
use crate::sources::file::support::Folder;
use crate::support::{Sluice, TestDb};

fn define(source: &str) -> Shop {
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.t (id int primary key); insert into shop.t values (1);
         create table shop.copy (id int primary key);
         create function shop.copy_v1(doc jsonb) returns table (id int) language sql stable as $$ select (doc->>'id')::int $$",
    );
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{id}}', source => {source})"
    ));
    shop
}

const BY_ENV: &str = "sluice.postgres_source(connection => sluice.connection(env => 'SRC_URL'), \"table\" => 'shop.t')";

#[test]
fn variable_host_and_socket_have_to_be_given_by_the_host() {
    let shop = define(BY_ENV);
    let socket = shop.db.socket();
    let folder = socket.parent().unwrap().to_str().unwrap();
    let run = |url: &str, env: &str, files: &str, hosts: &str| {
        Sluice::on(&shop.db)
            .args(["run", "copy"])
            .env("SRC_URL", url)
            .env("SLUICE_ALLOW_ENV", env)
            .env("SLUICE_ALLOW_FILES", files)
            .env("SLUICE_ALLOW_HOSTS", hosts)
            .run()
    };
    run(&shop.db.url, "SRC_URL", folder, "").exits(0);
    for (url, env, files, hosts, refused) in [
        (shop.db.url.as_str(), "", folder, "", "SLUICE_ALLOW_ENV=SRC_URL"),
        (&shop.db.url, "SRC_URL", "", "", "SLUICE_ALLOW_FILES="),
        (
            "postgresql://u:s3cret-word@db.example/x",
            "SRC_URL",
            "",
            "",
            "SLUICE_ALLOW_HOSTS=db.example",
        ),
        (
            "postgresql://u:s3cret-word@a.example,b.example/x",
            "*",
            "",
            "a.example",
            "SLUICE_ALLOW_HOSTS=a.example,b.example",
        ),
        (
            "host=a.example hostaddr=10.0.0.1 user=u password=s3cret-word",
            "*",
            "",
            "a.example",
            "SLUICE_ALLOW_HOSTS=a.example,10.0.0.1",
        ),
        (
            "postgresql://a.example/x?sslmode=verify-full&sslrootcert=/etc/passwd",
            "*",
            "",
            "*",
            "SLUICE_ALLOW_FILES=",
        ),
        (
            "postgresql://a.example/x?passfile=/etc/passwd",
            "*",
            "*",
            "*",
            "\"passfile\" cannot be used for a source",
        ),
        ("service = prod", "*", "*", "*", "\"service\" cannot be used for a source"),
        ("mysql://a.example/x", "*", "*", "*", "SRC_URL"),
        ("postgresql://u:s3cret-word/x@h", "*", "*", "*", "SRC_URL"),
    ] {
        let done = run(url, env, files, hosts).exits(2);
        assert!(done.stderr.contains(refused) || done.stdout.contains(refused), "{url}: {done:?}");
        assert!(!format!("{done:?}").contains("s3cret-word"), "{url}: {done:?}");
    }
}

/// Where and as whom the loader connects is nobody's but its own.
#[test]
fn what_the_loader_connects_with_is_never_given() {
    let shop = define(&BY_ENV.replace("SRC_URL", "DATABASE_URL"));
    let done = Sluice::on(&shop.db).args(["run", "copy"]).run().exits(2);
    assert!(done.stderr.contains("never given"), "{done:?}");
    let shop = define(BY_ENV);
    // Neither variables nor the password file say where a source is, or who reads it.
    let home = Folder::new();
    home.write(".pgpass", "*:*:*:*:s3cret-word\n");
    let done = Sluice::on(&shop.db)
        .args(["run", "copy", "--retries", "0"])
        .env("SRC_URL", "dbname=elsewhere")
        .env("PGHOST", shop.db.socket().parent().unwrap())
        .env("PGPORT", shop.db.settings.hosts[0].port.to_string())
        .env("HOME", home.name(""))
        .run();
    assert_ne!(done.code, Some(0), "{done:?}");
    assert!(
        !done.stderr.contains("\"elsewhere\" does not exist"),
        "it went where PGHOST leads: {done:?}"
    );
}

#[test]
fn the_connection_string_itself_is_refused_and_not_repeated() {
    let shop = Shop::of(wait(TestDb::new()), "");
    let url = "postgresql://u:s3cret-word@h/d";
    for call in [
        format!("sluice.connection(env => '{url}')"),
        format!("sluice.connection(file => '{url}')"),
        "sluice.connection(file => 'host=h password=s3cret-word')".to_owned(),
        format!("sluice.postgres_source(connection => '\"{url}\"', \"table\" => 't')"),
        format!("sluice.postgres_source(connection => '{{\"url\": \"{url}\"}}', \"table\" => 't')"),
        format!("sluice.postgres_source(connection => '{{\"env\": \"{url}\"}}', \"table\" => 't')"),
    ] {
        let session = wait(shop.db.connect());
        let error = wait(session.batch_execute(&format!("select {call}"))).unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "SL005", "{call}: {error}");
        assert!(!format!("{error:?}").contains("s3cret-word"), "{call}: {error:?}");
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused_when_they_are_written() {
    let shop = Shop::of(wait(TestDb::new()), "");
    for (arguments, message) in [
        ("\"table\" => 't', query => 'select 1'", "table and query are both given"),
        ("key => '{id}'", "table is missing"),
        ("query => 'select 1 as id'", "a query needs a key"),
        ("\"table\" => 't', lag => '1 h'", "lag needs a cursor"),
        ("\"table\" => 't', null_cursor => 'refuse'", "null_cursor needs a cursor"),
        (
            "\"table\" => 't', cursor => 'at', null_cursor => 'skip'",
            "null_cursor cannot be \"skip\"",
        ),
        ("\"table\" => 't', key => '{}'", "key cannot be []"),
        ("\"table\" => 't', key => '{id,id}'", "key cannot be"),
        ("\"table\" => 't', cursor => 'at', lag => '-1 h'", "lag cannot be -3600"),
        ("\"table\" => ' '", "table cannot be \" \""),
    ] {
        let sql = format!(
            "select sluice.postgres_source(connection => sluice.connection(env => 'X'), {arguments})"
        );
        let error = wait(wait(shop.db.connect()).batch_execute(&sql)).unwrap_err();
        let said = error.as_db_error().unwrap().message().to_owned();
        assert!(said.contains(message), "{arguments}: {said}");
    }
    let both = json!({"env": "A", "file": "b"});
    let error = wait(wait(shop.db.connect()).batch_execute(&format!(
        "select sluice.postgres_source(connection => '{both}', \"table\" => 't')"
    )))
    .unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("in two places"));
}
