//! Values arrive without loss.

use serde_json::json;

use super::support::{Runs, Shop, wait};
use crate::support::{Sluice, TestDb};

/// A query of one value, and the record it makes.
#[test]
fn a_record_holds_each_value_as_the_server_writes_it() {
    let cases = [
        (
            "12345678901234567890.123456789012345678901234567890::numeric",
            "12345678901234567890.123456789012345678901234567890",
        ),
        ("1.10::numeric(30,10)", "1.1000000000"),
        ("'NaN'::numeric", "\"NaN\""),
        ("'-Infinity'::float8", "\"-Infinity\""),
        ("9223372036854775807::bigint", "9223372036854775807"),
        ("0.1::float8 + 0.2", "0.30000000000000004"),
        ("'infinity'::timestamptz", "\"infinity\""),
        ("'-infinity'::date", "\"-infinity\""),
        ("'2026-03-01 08:00:00.123456+02'::timestamptz", "\"2026-03-01T06:00:00.123456+00:00\""),
        ("'2026-03-29 02:30:00'::timestamp", "\"2026-03-29T02:30:00\""),
        ("'0044-03-15 BC'::date", "\"0044-03-15 BC\""),
        ("'08:00:00.5+02'::timetz", "\"08:00:00.5+02\""),
        ("'-1 mon 2 days -03:04:05.678901'::interval", "\"P-1M2DT-3H-4M-5.678901S\""),
        ("'\\xdeadbeef00'::bytea", "\"\\\\xdeadbeef00\""),
        ("array[[1,null],[3,4]]", "[[1,null],[3,4]]"),
        ("array['a,b','\"c\"','NULL']", "[\"a,b\",\"\\\"c\\\"\",\"NULL\"]"),
        ("'{\"a\": 1.10, \"a\": 2}'::json", "{\"a\": 1.10, \"a\": 2}"),
        ("'{\"a\": 1.10}'::jsonb", "{\"a\": 1.10}"),
        ("row(1, 'x', null)", "{\"f1\":1,\"f2\":\"x\",\"f3\":null}"),
        ("'[1,5)'::int4range", "\"[1,5)\""),
        ("'ab'::char(5)", "\"ab   \""),
        ("'a' || chr(9) || chr(10) || chr(92) || chr(8364)", "\"a\\t\\n\\\\€\""),
        ("true", "true"),
        ("null::text", "null"),
    ];
    let shop = Shop::new("");
    for (value, expected) in cases {
        let settings =
            shop.settings(json!({"query": format!("select 1 as id, {value} as v"), "key": ["id"]}));
        let payloads = Runs::default().run(&settings).ok().payloads();
        assert_eq!(payloads, [format!("{{\"id\":1,\"v\":{expected}}}")], "{value}");
    }
}

/// From a table to another one of the same columns, in the same database, whatever the zone and
/// the styles of its sessions.
#[test]
fn a_table_of_all_types_arrives_as_it_was() {
    let db = wait(TestDb::new());
    let shop = Shop::of(
        db,
        "create schema shop; create type shop.mood as enum ('sad', 'glad'); create domain shop.price as numeric(12,4);
         create table shop.all_types (id uuid primary key, i2 smallint, i8 bigint, n numeric, p shop.price, f4 real, f8 float8,
           t text, c char(4), b bytea, ts timestamp, tz timestamptz, d date, tm time, ttz timetz, iv interval, j json, jb jsonb,
           a text[], aa int[], m shop.mood, r tstzrange, net inet, bits varbit, x xml, o oid, ok boolean);
         insert into shop.all_types
         select gen_random_uuid(), -32768, -9223372036854775808, n::numeric, 1.5, 3.4e38, f::float8,
           t, 'ab', decode('00ff5c27', 'hex'), ts::timestamp, ts::timestamptz, d::date, '24:00', '12:00:00.000001-15:59', iv::interval,
           '{\"a\": 1.0}', '{\"a\": 1.0}', array[t, null, ''], array[[1],[2]], 'glad', tstzrange(null, ts::timestamptz),
           '::1', '101', '<a b=\"c\">&amp;</a>', 4294967295, true
         from (values
           ('NaN', 'NaN', '\"\\,{}''', 'infinity', '-infinity', '1 year 2 mons -3 days 04:05:06.789'),
           ('-Infinity', '-Infinity', '', '-infinity', '4713-01-01 BC', '-178000000 years'),
           ('1e-100', '5e-324', E'line\\nbreak\\t€', '0044-03-15 10:00:00.000001 BC', '5874897-12-31', '00:00:00.000001'),
           ('123456789012345678901234567890.000', '1.7976931348623157e308', 'x', '294276-12-31 23:59:59.999999', '2024-02-29', '0'))
           v (n, f, t, ts, d, iv);
         create table shop.copy (like shop.all_types including all);
         create function shop.copy_v1(doc jsonb) returns setof shop.all_types language sql stable as $$
           select * from jsonb_populate_record(null::shop.all_types, doc) $$",
    );
    let name = &shop.db.name;
    shop.execute(&format!("alter database {name} set timezone = 'America/St_Johns'; alter database {name} set datestyle = 'German'"));
    let source = shop.settings(json!({"table": "shop.all_types"})).to_string();
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{id}}', source => '{source}')"
    ));
    let done = Sluice::on(&shop.db).args(["run", "copy"]).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 4, "{done:?}");
    let differences = "select count(*) from (
        select md5(s::text) from shop.all_types s except select md5(row(c.id, c.i2, c.i8, c.n, c.p, c.f4, c.f8, c.t, c.c, c.b, c.ts, c.tz,
          c.d, c.tm, c.ttz, c.iv, c.j, c.jb, c.a, c.aa, c.m, c.r, c.net, c.bits, c.x, c.o, c.ok)::text) from shop.copy c) x";
    assert_eq!(wait(shop.db.value(differences)), "0");
}

/// `json` may hold what `jsonb` and text cannot.
#[test]
fn what_the_target_cannot_hold_is_in_quarantine_with_its_neighbours_loaded() {
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.docs (id int primary key, j json);
         insert into shop.docs values (1, '{}'), (2, '{\"a\": \"\\u0000\"}'), (3, '{\"a\": \"\\ud800\"}'), (4, '{}');
         create table shop.target (id int primary key, j jsonb);
         create function shop.docs_v1(doc jsonb) returns table (id int, j jsonb) language sql stable as $$ select (doc->>'id')::int, doc->'j' $$",
    );
    let source = shop.settings(json!({"table": "shop.docs"})).to_string();
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 'docs', version => 1, transform => 'shop.docs_v1', target => 'shop.target', key => '{{id}}', source => '{source}', max_bad_ratio => 1)"
    ));
    let done = Sluice::on(&shop.db).args(["run", "docs"]).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 2);
    assert_eq!(
        wait(shop.db.rows(
            "select position, convert_from(payload, 'UTF8') from sluice.quarantine order by 1"
        )),
        ["2|{\"id\":2,\"j\":{\"a\": \"\\u0000\"}}", "3|{\"id\":3,\"j\":{\"a\": \"\\ud800\"}}"]
    );
}

/// A database without an encoding holds any bytes.
#[test]
fn bytes_that_are_no_text_spoil_their_record_only() {
    let shop = Shop::new("");
    let name = format!("{}_ascii", shop.db.name);
    shop.execute(&format!(
        "create database {name} encoding 'SQL_ASCII' locale 'C' template template0"
    ));
    let url = shop.db.url.replace(&shop.db.name, &name);
    shop.move_to(&url);
    let settings = shop.settings(json!({"query": "select id, convert_from(b, 'SQL_ASCII') as t from (values (1, 'a'::bytea), (2, '\\xff'), (3, '\\xc3a9')) v (id, b)", "key": ["id"]}));
    let outcome = Runs::default().run(&settings).ok();
    assert_eq!(outcome.payloads(), ["{\"id\":1,\"t\":\"a\"}", "{\"id\":3,\"t\":\"é\"}"]);
    let faults = outcome.faults();
    assert_eq!(faults[0].payload, b"{\"id\":2,\"t\":\"\xff\"}");
    assert_eq!(faults[0].fault.as_ref().unwrap().0, "22021");
}

#[test]
fn a_record_larger_than_the_limit_is_set_aside_and_a_large_one_below_it_is_read() {
    let shop = Shop::new("create table t (id int primary key, pad text)");
    shop.execute("insert into t select i, repeat('x', case i when 2 then 100000000 when 3 then 20000000 else 1 end) from generate_series(1, 4) i");
    let settings = shop.settings(json!({"table": "t"}));
    let outcome = Runs::default().run(&settings).ok();
    assert_eq!(outcome.payloads().len(), 2);
    let faults = outcome.faults();
    assert_eq!((faults.len(), faults[0].payload.len()), (2, 16 << 20));
    let (code, said) = faults[0].fault.clone().unwrap();
    assert_eq!(code, "54000");
    assert!(
        said.contains(
            "the record has 100000017 bytes, more than the limit max_record_bytes = 16777216"
        ),
        "{said}"
    );
    let wide = shop.settings(json!({"table": "t", "max_record_bytes": 200_000_000}));
    let outcome = Runs::default().run(&wide).ok();
    assert_eq!(outcome.records.iter().map(|record| record.payload.len()).max(), Some(100_000_017));
}

/// Of a numeric without a scale each value has its own; and rows that were frozen are rows as any.
#[test]
fn each_numeric_keeps_its_digits_and_frozen_rows_are_read() {
    let shop = Shop::new(
        "create table orders (id int primary key, at timestamptz, n numeric);
         insert into orders values (1, '2026-01-01Z', 1), (2, '2026-01-02Z', 1.23456789012345678901234567890), (3, '2026-01-03Z', 1e-20), (4, '2026-01-04Z', 10.0)",
    );
    shop.execute("vacuum (freeze) orders");
    let (orders, mut runs) = (shop.orders(), Runs::default());
    let payloads = runs.run(&orders).ok().payloads();
    let numbers: Vec<&str> = payloads
        .iter()
        .map(|payload| payload.split("\"n\":").nth(1).unwrap().trim_end_matches('}'))
        .collect();
    assert_eq!(numbers, ["1", "1.23456789012345678901234567890", "0.00000000000000000001", "10.0"]);
    shop.execute("update orders set at = '2026-01-05Z' where id = 2");
    shop.execute("vacuum (freeze) orders");
    assert_eq!(runs.ids(&orders), [4, 2]);
    let cursor = runs.cursor.unwrap().to_string();
    assert!(cursor.contains("2026-01-05") && !cursor.contains("xmin"), "{cursor}");
}

/// A record is the row, whatever its columns are called.
#[test]
fn a_column_called_as_the_row_is_does_not_take_its_place() {
    let shop = Shop::new(
        "create type pair as (x int, y text); create table t (id int primary key, q pair, w int, t text);
         insert into t values (1, '(5,z)', 2, 'a')",
    );
    let settings = shop.settings(json!({"table": "t"}));
    assert_eq!(
        Runs::default().run(&settings).ok().payloads(),
        [r#"{"id":1,"q":{"x":5,"y":"z"},"w":2,"t":"a"}"#]
    );
}
