//! Dumped, and restored on a server of another version of PostgreSQL.

use super::{Old, next_runs_go_on};
use crate::engine::install::psql;
use crate::engine::interface::interface_of;
use crate::engine::{Hand, items};
use crate::support::server::{self, TestServer};
use crate::support::{Sluice, TestDb};
use std::process::Command;

/// Servers of the versions in the folders of `PG_BIN_LATER`, or of what `sluice db install` has fetched.
fn later_servers() -> Vec<TestServer> {
    let folders = std::env::var("PG_BIN_LATER").unwrap_or_else(|_| "installed".to_owned());
    let start = |folder: &str| {
        let home =
            tempfile::Builder::new().prefix("sluice-test-").tempdir_in("/tmp").unwrap().keep();
        let done = Sluice::bare()
            .env("PG_BIN", folder)
            .env("SLUICE_HOME", &home)
            .args(["db", "start"])
            .run();
        if done.code != Some(0) {
            std::fs::remove_dir_all(&home).unwrap();
            assert_eq!(folder, "installed", "{done:?}");
            return None;
        }
        // It runs, and ends with the test from here on.
        Some(TestServer::start_in(home))
    };
    let servers: Vec<_> = folders.split(':').filter_map(start).collect();
    if servers.is_empty() {
        eprintln!(
            "SKIPPED, NOT TESTED: no later version of PostgreSQL; \"sluice db install\" fetches one, or name folders in PG_BIN_LATER"
        );
    }
    servers
}

/// As the runbook says.
fn dumped(db: &TestDb) -> Option<String> {
    let binary = std::fs::read_link(format!("/proc/{}/exe", server::shared().pid())).unwrap();
    let program = binary.with_file_name("pg_dump");
    if !program.exists() {
        eprintln!("SKIPPED, NOT TESTED: there is no {}", program.display());
        return None;
    }
    let output = Command::new(program)
        .args(["--no-unlogged-table-data", "--no-toast-compression", "--dbname", &db.url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_installation_goes_on_on_a_server_of_a_later_version() {
    TestDb::new().await; // The roles of the old server: a new installation makes them.
    for server in later_servers() {
        let Some(mut old) = Old::upgraded().await else {
            return;
        };
        old.sluice("pause orders").exits(0);
        let (before, may) = (interface_of(&old.db).await, rights(&old.db).await);
        let Some(dump) = dumped(&old.db) else {
            return;
        };
        old.db = TestDb::of(&server, "sluice");
        old.db
            .execute("create role sluice_operator; create role sluice_reader; create role sluice_monitor")
            .await;
        assert!(psql(&old.db, &dump));
        old.is_sound().await;
        assert_eq!(interface_of(&old.db).await, before);
        assert_eq!(rights(&old.db).await, may);
        assert_eq!(old.db.value("select sluice._edited_routines()").await, "{}");
        let done = old.sluice("migrate").exits(0);
        assert!(done.stdout.contains("nothing to do"), "{done:?}");
        old.sluice("resume orders").exits(0);
        next_runs_go_on(&old).await;
        payloads_are_remembered_with_their_own_rows(&old.db).await;
        println!("went on with PostgreSQL {}", server.server.major);
    }
}

/// From PostgreSQL 16 on an aggregate with `distinct` sorts the rows for the aggregates beside it.
async fn payloads_are_remembered_with_their_own_rows(db: &TestDb) {
    items(db, "id bigint primary key", "id bigint", "(doc->>'id')::bigint", "key => '{id}'").await;
    let records: Vec<_> = (0..100).map(|id| format!(r#"{{"id": {id}}}"#)).collect();
    Hand::start(db).await.load(&records).await;
    let remembered = r#"select count(*), count(*) filter (where x.digest <>
          encode(substr(sha256(convert_to(format('{"id": %s}', t.id), 'UTF8')), 1, 16), 'hex')::uuid)
        from sluice.known_payloads k join sluice.pipelines p using (pipeline_id)
        cross join lateral unnest(k.digests, k.row_places) x (digest, place)
        join shop.items t on t.ctid = x.place
        where p.name = 'items'"#;
    assert_eq!(db.rows(remembered).await, ["100|0"]);
}

/// Who may what, with functions, tables and columns.
async fn rights(db: &TestDb) -> Vec<String> {
    db.rows(
        "select p.oid::regprocedure::text, r.rolname, has_function_privilege(r.oid, p.oid, 'execute')::text
         from pg_proc p, pg_roles r where p.pronamespace = 'sluice'::regnamespace and r.rolname ~ '^sluice_(op|re|mo)'
         union all
         select format('%s.%s', c.oid::regclass, a.attname), r.rolname, concat_ws(',',
           has_column_privilege(r.oid, c.oid, a.attnum, 'select'), has_column_privilege(r.oid, c.oid, a.attnum, 'update'),
           has_table_privilege(r.oid, c.oid, 'insert'), has_table_privilege(r.oid, c.oid, 'delete'))
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped, pg_roles r
         where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'v') and r.rolname ~ '^sluice_(op|re|mo)'
         order by 1, 2",
    )
    .await
}
