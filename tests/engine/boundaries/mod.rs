//! Several teams in one engine: what is whose, and what nobody can write. `docs/trust.md` says it in one table.

mod cost;
mod forging;
mod functions;
mod looks;
mod monitor;
mod owners;
mod tables;

use super::Problem;
use crate::support::TestDb;
use crate::support::db::rows;
use pgsluice::db::Session;

/// What is in bob's records and nowhere else.
const MARK: &str = "bobs-own";

/// Two teams. Each has a schema and a pipeline; bob's has loaded, set aside, retained, deleted and delivers.
struct Teams {
    db: TestDb,
}

impl Teams {
    async fn new() -> Self {
        let teams = Teams { db: TestDb::new().await };
        let member =
            |name: &str, of: &str| format!("create role {} in role {of};", teams.role(name));
        let roles = [
            member("alice", "sluice_operator"),
            member("bob", "sluice_operator"),
            member("rita", "sluice_reader"),
            member("mona", "sluice_monitor"),
            member("both", "sluice_operator, sluice_reader"),
            member("watch", "sluice_operator, sluice_monitor"),
        ];
        teams.db.execute(&roles.concat()).await;
        for name in ["alice", "bob"] {
            teams
                .db
                .execute(&format!(
                    "create schema {name} authorization {role}; set role {role};
                     create table {name}.items (id bigint primary key, note text);
                     create table {name}.parts (id bigint, n int, note text, primary key (id, n));
                     create function {name}.parts_v1(doc jsonb) returns table (id bigint, n int, note text)
                     language sql immutable as $$ select (doc->>'id')::bigint, 1, doc->>'note' where not doc ? 'gone' $$;
                     create function {name}.items_v1(doc jsonb) returns table (id bigint, note text, sluice_deleted boolean)
                     language sql immutable as $$ select (doc->>'id')::bigint, doc->>'note', doc ? 'gone' $$;
                     select sluice.define_pipeline(name => '{name}', version => 1, transform => '{name}.items_v1',
                       target => '{name}.items', key => '{{id}}', source => sluice.file_source(path => 'drop'),
                       max_bad_ratio => 1, retain_raw => '7 days', missing => 'delete',
                       deliver => sluice.http_delivery(url => 'https://crm.example/{{id}}'));",
                    role = teams.role(name)
                ))
                .await;
        }
        super::make_all_digests_anchors(&teams.db).await;
        let mut bob = super::Hand::of(teams.of("bob").await, "bob").await;
        bob.load(&[
            r#"{"id": 1, "note": "bobs-own"}"#,
            r#"{"id": 2}"#,
            r#"{"id": "bobs-own"}"#,
            r#"{"id": "bobs-own too"}"#,
        ])
        .await;
        bob.load(&[r#"{"id": 2, "gone": true}"#]).await;
        for sql in [
            "select sluice.note_waiting(1, '[{\"name\": \"drop/b.csv\", \"reason\": \"grows\", \"on_purpose\": false}]')",
            "select sluice.finish_run(1, 'failed', 'bobs-own error')",
            "select sluice.discard('bob', '{1}', reason => 'bobs-own reason')",
            "select sluice.reopen('bob', '{1}')",
            "select sluice.amend(1, '{\"id\": \"bobs-own\", \"x\": 1}', 'bobs-own reason')",
            "select sluice.amend(2, '{\"id\": 3}', 'bobs-own reason')",
            "select sluice.replay('bob', quarantine_ids => '{2}')",
            // A version that has not loaded, with a further target.
            "select sluice.define_pipeline(name => 'bob', version => 2, transform => 'bob.items_v1', target => 'bob.items',
               key => '{id}', source => sluice.file_source(path => 'drop'), activate => false, missing => 'delete',
               deliver => sluice.http_delivery(url => 'https://crm.example/{id}'),
               also => array[sluice.also_target(transform => 'bob.parts_v1', target => 'bob.parts', key => '{id,n}',
                 parent => '{id}', children => 'replace')])",
            "select sluice.skip('bob', object => 'drop/skipped.csv', reason => 'bobs-own reason')",
        ] {
            bob.session.batch_execute(sql).await.unwrap();
        }
        teams
    }

    /// Roles are the whole server's.
    fn role(&self, name: &str) -> String {
        format!("{name}_{}", self.db.name)
    }

    async fn of(&self, name: &str) -> Session {
        let session = self.db.connect().await;
        session.batch_execute(&format!("set role {}", self.role(name))).await.unwrap();
        session
    }

    /// What the server says to somebody's statement; none: it did it.
    async fn says(&self, name: &str, sql: &str) -> Option<Problem> {
        let done = self.of(name).await.batch_execute(sql).await;
        done.err().map(|error| Problem::of(&error))
    }

    /// Tables of the engine, each with what selects bob's rows: where alice has none, all are his.
    async fn tables(&self) -> Vec<(String, String)> {
        let tables = "
          select c.oid::regclass, case
              when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'pipeline_id') then 'pipeline_id = 2'
              when exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'target') then format('target = %L', 'bob.items')
              else 'true' end
          from pg_class c
          where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'r'
            and c.relname not in ('engine', 'raw_chunks', 'refinery_schema_history') order by 1";
        let tables = self.db.rows(tables).await;
        let split = |line: &String| {
            let (table, of_bob) = line.split_once('|').unwrap();
            (table.to_owned(), of_bob.to_owned())
        };
        tables.iter().map(split).collect()
    }

    /// All that bob has, as text: what others do must not change it.
    async fn everything_of_bob(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (table, of_bob) in self.tables().await {
            all.push(format!("-- {table}"));
            let rows = format!("select t::text from {table} t where {of_bob} order by 1");
            all.extend(self.db.rows(&rows).await);
        }
        all.extend(self.db.rows("select t::text from bob.items t order by 1").await);
        all
    }
}

#[tokio::test]
async fn nothing_runs_with_the_rights_of_the_engines_owner_but_three_functions_and_three_views() {
    let db = TestDb::new().await;
    assert_eq!(
        db.rows(
            "select proname from pg_proc where pronamespace = 'sluice'::regnamespace and prosecdef
               order by 1"
        )
        .await,
        [
            "_drop_raw_table", // of a day that the caller may delete
            "_make_raw_table", // for a day that the caller may add
            "_pass_batch_id",  // upwards, as far as a table that comes along may have come
        ]
    );
    assert_eq!(
        db.rows(
            "select relname from pg_class where relnamespace = 'sluice'::regnamespace and relkind = 'v'
               and not coalesce('security_invoker=true' = any (reloptions), false) order by 1"
        )
        .await,
        [
            "_loaded", // who loads a table, for policies and refusals
            "_mine",   // what is the caller's, for policies
            "owners",  // whose a pipeline is, for refusals
        ]
    );
    // Through such a view nobody writes.
    assert_eq!(
        db.rows(
            "select c.relname, r.rolname, p from pg_class c, pg_roles r, unnest('{insert,update,delete,truncate}'::text[]) p
             where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v' and r.rolname like 'sluice\\_%'
               and has_table_privilege(r.oid, c.oid, p)"
        )
        .await,
        [""; 0]
    );
}
