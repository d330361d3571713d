//! Rows of databases for transforms that take a row.

use serde_json::{Value, json};

use super::support::{Shop, wait};
use crate::support::{Sluice, TestDb};

/// Columns of the target, and which of its records are bad.
struct Case<'a> {
    source: Value,
    columns: &'a [(&'a str, &'a str)],
    loaded: usize,
    faults: &'a [&'a str],
}

/// Loads a source once by a transform that takes the document and once by one that takes a row.
#[track_caller]
fn come_to_the_same(case: &Case<'_>) -> Shop {
    let list = |of: &dyn Fn(&str, &str) -> String| {
        let parts = case.columns.iter().map(|(name, kind)| of(name, kind));
        parts.collect::<Vec<_>>().join(", ")
    };
    let typed = list(&|name, kind| format!("{name} {kind}"));
    let shop = Shop::of(
        wait(TestDb::new()),
        &format!(
            "create schema shop; create type shop.t_in as ({typed});
             create table shop.by_doc ({typed}, primary key (id)); create table shop.by_row ({typed}, primary key (id));
             create function shop.by_doc_v1(doc jsonb) returns table ({typed}) language sql stable as $$ select {} $$;
             create function shop.by_row_v1(r shop.t_in) returns table ({typed}) language sql stable as $$ select {} $$;",
            list(&|name, kind| format!("(doc->>'{name}')::{kind}")),
            list(&|name, _| format!("r.{name}")),
        ),
    );
    for way in ["by_doc", "by_row"] {
        shop.execute(&format!(
            "select sluice.define_pipeline(name => '{way}', version => 1, transform => 'shop.{way}_v1', target => 'shop.{way}',
               key => '{{id}}', source => $s${}$s$, max_bad_ratio => 1)",
            case.source
        ));
        let done = Sluice::on(&shop.db).args(["run", way]).run().exits(0);
        assert!(!done.stderr.contains("no column"), "{done:?}");
    }
    let rows = |way: &str| {
        wait(shop.db.rows(&format!(
            "select r from (select id, (to_jsonb(t) - 'sluice_batch')::text as r from shop.{way} t) t order by id"
        )))
    };
    let faults = |way: &str| {
        wait(shop.db.rows(&format!(
            "select encode(payload, 'escape'), position, sqlstate from sluice.quarantine join sluice.pipelines p using (pipeline_id) where p.name = '{way}' order by position"
        )))
    };
    assert_eq!(rows("by_doc"), rows("by_row"));
    assert_eq!(faults("by_doc"), faults("by_row"));
    assert_eq!(rows("by_row").len(), case.loaded, "{:#?}", rows("by_row"));
    let states = wait(shop.db.rows(
        "select sqlstate from sluice.quarantine join sluice.pipelines p using (pipeline_id) where p.name = 'by_row' order by position",
    ));
    assert_eq!(states, case.faults);
    shop
}

#[test]
fn values_of_postgres_are_the_same_to_both_contracts() {
    let source = Shop::new(
        r#"create table t (id bigint primary key, n numeric, f float8, at timestamptz, i interval, raw bytea, v text, j json, a text[], b boolean);
           insert into t values
             (1, 12345678901234567890.10, '-infinity', 'infinity', '-1 mon 2 days', '\x00ff', E'a\\"😀\n', '{"a": [1.0, "é"]}', '{a,null}', true),
             (2, 'NaN', 5e-324, '0044-03-15 08:00:00.123456 BC', null, '', '', 'null', '{}', null),
             (3, null, null, null, null, null, null, '"\u0000"', null, null),
             (4, 1, 1, 'now', null, null, null, '{"deep": [[[{"x": "]}\""}]]]}', '{"{}"}', false)"#,
    );
    come_to_the_same(&Case {
        source: source.settings(json!({"table": "t"})),
        columns: &[
            ("id", "bigint"),
            ("n", "numeric"),
            ("f", "double precision"),
            ("at", "timestamptz"),
            ("i", "interval"),
            ("raw", "bytea"),
            ("v", "text"),
            ("j", "jsonb"),
            ("a", "jsonb"),
            ("b", "boolean"),
        ],
        loaded: 3,
        faults: &["22P05"],
    });
}

#[test]
#[cfg(feature = "mysql")]
fn values_of_mysql_are_the_same_to_both_contracts() {
    let Some(maria) = super::mariadb::Maria::new(
        r#"set sql_mode = '';
        create table t (id bigint unsigned primary key, d date, m datetime(6), n decimal(65,30), z int(5) zerofill, f float, e double,
          b bit(64), y tinyint(1), s time(6), raw blob, v varchar(50), j json, `Odd, "name"` text);
        insert into t values
          (1, '2026-03-01', '2026-03-29 02:30:00.123456', 12345678901234567890123456789012345.123456789012345678901234567890, 7, 0.1,
           1.7976931348623157e308, ~0, 2, '838:59:59.999999', x'00ff5c', 'a\\"😀\n''', '{"a": [1, "\\u00e9"]}', 'there'),
          (18446744073709551615, null, null, null, null, null, null, null, null, null, null, null, null, null),
          (2, '0000-00-00', null, 0, 0, 0, 0, b'0', 0, '-838:59:59', '', '', 'null', ''),
          (3, null, '0000-00-00 00:00:00', null, null, null, null, null, null, null, null, null, null, null),
          (4, null, null, null, null, null, null, null, null, null, null, concat('a', char(0)), null, null),
          (5, null, null, null, null, null, null, null, null, null, null, 'null', null, '\\u0000 [[[')"#,
    ) else {
        return;
    };
    let case = Case {
        source: maria.settings(json!({"table": "t"})),
        columns: &[
            ("id", "numeric"),
            ("d", "date"),
            ("m", "timestamp"),
            ("n", "numeric"),
            ("z", "integer"),
            ("f", "real"),
            ("e", "double precision"),
            ("b", "numeric"),
            ("y", "smallint"),
            ("s", "interval"),
            ("raw", "bytea"),
            ("v", "text"),
            ("j", "jsonb"),
        ],
        loaded: 3,
        faults: &["22008", "22008", "22P05"],
    };
    let shop = come_to_the_same(&case);
    assert_eq!(
        wait(
            shop.db.value(
                "select n || ' ' || b || ' ' || s || ' ' || v from shop.by_row where id = 1"
            )
        ),
        "12345678901234567890123456789012345.123456789012345678901234567890 18446744073709551615 838:59:59.999999 a\\\"😀\n'"
    );
}

#[test]
#[cfg(feature = "sqlite")]
fn cells_of_sqlite_are_the_same_to_both_contracts() {
    let folder = crate::sources::file::support::Folder::new();
    let connection = rusqlite::Connection::open(folder.path("app.db")).unwrap();
    connection
        .execute_batch(
            r#"create table t (id integer primary key, n, e, v text, raw blob, d);
            insert into t values
              (1, 9223372036854775807, 5e-324, 'a\"' || char(10) || '😀', x'00ff', '2026-03-01'),
              (2, '12.50', 1e999, '', x'', null), (3, null, -1e999, null, null, null),
              (4, 'five', 1, 'x', null, null), (5, 1, 1, 'a' || char(0), null, null),
              (6, 1, 1, cast(x'ff' as text), null, null), (7, 1, 1, 'x', 'no blob', 20260301), (8, 1, 1, 'x', null, 'someday')"#,
        )
        .unwrap();
    come_to_the_same(&Case {
        source: json!({"kind": "sqlite", "path": folder.name("app.db"), "table": "t"}),
        columns: &[
            ("id", "bigint"),
            ("n", "numeric"),
            ("e", "double precision"),
            ("v", "text"),
            ("raw", "bytea"),
            ("d", "date"),
        ],
        loaded: 4,
        faults: &["22P02", "22P05", "22021", "22007"],
    });
}

/// What names the columns is known before the first row, of every make.
#[test]
fn a_column_that_the_source_lacks_is_named_once() {
    let folder = crate::sources::file::support::Folder::new();
    let mut sources = vec![("postgres", String::new())];
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.t (id bigint primary key, label text); insert into shop.t values (1, 'a'), (2, 'b');
         create type shop.t_in as (id bigint, name text);
         create function shop.t_v1(r shop.t_in) returns table (id bigint, name text) language sql stable as $$ select r.id, r.name $$;",
    );
    sources[0].1 = shop.settings(json!({"table": "shop.t"})).to_string();
    #[cfg(feature = "sqlite")]
    {
        let connection = rusqlite::Connection::open(folder.path("app.db")).unwrap();
        connection.execute_batch("create table t (id integer primary key, label text); insert into t values (1, 'a'), (2, 'b')").unwrap();
        let source = json!({"kind": "sqlite", "path": folder.name("app.db"), "table": "t"});
        sources.push(("sqlite", source.to_string()));
    }
    #[cfg(feature = "mysql")]
    let maria = super::mariadb::Maria::new(
        "create table t (id int primary key, label text); insert into t values (1, 'a'), (2, 'b')",
    );
    #[cfg(feature = "mysql")]
    if let Some(maria) = &maria {
        sources.push(("mysql", maria.settings(json!({"table": "t"})).to_string()));
    }
    for (make, source) in sources {
        shop.execute(&format!(
            "create table shop.{make} (id bigint primary key, name text);
             select sluice.define_pipeline(name => '{make}', version => 1, transform => 'shop.t_v1', target => 'shop.{make}', key => '{{id}}',
               source => $s${source}$s$)"
        ));
        let done = Sluice::on(&shop.db).args(["run", make, "--batch-rows", "1"]).run().exits(0);
        let note = "no column `name`, which the transform takes: null in all its records";
        assert_eq!(done.stderr.matches(note).count(), 1, "{make}: {done:?}");
        assert_eq!(done.summary().count("inserted"), 2);
    }
    drop(folder);
}
