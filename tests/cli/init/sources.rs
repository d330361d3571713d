//! What is neither a file of lines nor an API.

use super::Desk;
use crate::support::sluice::Done;

impl Desk {
    fn program(&self, name: &str, body: &str) {
        std::fs::create_dir_all(self.path().join("bin")).unwrap();
        let path = self.path().join("bin").join(name);
        crate::support::sluice::write_program(
            &path,
            &format!(
                "#!/bin/sh
{body}"
            ),
        );
    }

    /// `sluice` with the programs of the desk, and a variable with an address.
    fn call(&self, args: &[&str], address: &str) -> Done {
        let sluice = crate::support::Sluice::on(&self.db).current_dir(self.path());
        sluice.env("SLUICE_ALLOW_PROGRAMS", "bin").env("SRC_URL", address).args(args).run()
    }

    /// Prints, applies, runs and verifies; every record must be loaded.
    #[track_caller]
    fn whole(&self, source: &str, more: &[&str], pipeline: &str, address: &str) -> String {
        let text =
            self.call(&[&["init", "--source", source], more].concat(), address).exits(0).stdout;
        self.write("pipeline.sql", &text);
        // Once more changes nothing.
        for _ in 0..2 {
            let applied = self.call(&["apply", "pipeline.sql"], address);
            assert_eq!(applied.code, Some(0), "{text}\n{}", applied.stderr);
        }
        let run = self.call(&["run", pipeline], address);
        assert_eq!(run.code, Some(0), "{text}\n{}", run.stderr);
        let summary = run.summary();
        assert_eq!(summary.count("extracted"), summary.count("inserted"), "{text}\n{}", run.stderr);
        let verified = self.call(&["verify", pipeline, "--deep"], address);
        assert_eq!(verified.code, Some(0), "{text}\n{}", verified.stdout);
        text
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(feature = "parquet")]
async fn parquet_is_taken_as_rows_with_its_values_whole() {
    let desk = Desk::new().await;
    desk.write("drop/items.parquet", crate::sources::parquet::support::items(0..5, 2));
    let (text, inserted) = desk.all(&["drop/items.parquet"], "items");
    assert_eq!(inserted, 5);
    assert!(text.contains("items_v1(r public.items_in_v1)"), "{text}");
    assert_eq!(desk.columns("items").await, "id bigint, amount numeric, name text");
    assert_eq!(desk.rows("select amount, name from items where id = 1").await, ["7.50|n]}\"1"]);
    let documents = desk.init(&["drop/items.parquet", "--documents"]);
    assert!(documents.contains("items_v1(doc jsonb)"), "{documents}");
}

/// Values that show nothing of their types: whole decimals, codes, bytes, nothing at all.
#[cfg(feature = "parquet")]
fn typed(rows: usize) -> Vec<u8> {
    use arrow_array::types::{Decimal128Type, UInt64Type};
    use arrow_array::*;
    use std::sync::Arc;
    let some = |row: usize| row.is_multiple_of(2);
    let ids = Int64Array::from_iter_values(0..rows as i64);
    let amounts: PrimitiveArray<Decimal128Type> =
        (0..rows).map(|row| Some(row as i128 * 100)).collect();
    let amounts = amounts.with_precision_and_scale(12, 2).unwrap();
    let big: PrimitiveArray<UInt64Type> =
        (0..rows).map(|row| some(row).then_some(u64::MAX)).collect();
    let ratios = Float64Array::from_iter_values((0..rows).map(|_| f64::NAN));
    let days: Date32Array = (0..rows).map(|row| some(row).then_some(20_000)).collect();
    let instants = TimestampMicrosecondArray::from_iter(
        (0..rows).map(|row| some(row).then_some(1_700_000_000_123_456)),
    );
    let local = TimestampNanosecondArray::from_iter(
        (0..rows).map(|row| some(row).then_some(1_700_000_000_000_000_000)),
    );
    let flags: BooleanArray = (0..rows).map(|row| some(row).then_some(true)).collect();
    let bytes: BinaryArray = (0..rows).map(|row| some(row).then_some(&b"\x00\xff"[..])).collect();
    let zips = StringArray::from_iter_values((0..rows).map(|row| format!("{row}")));
    let nothing: Date32Array = (0..rows).map(|_| None).collect();
    crate::sources::parquet::support::file(
        vec![
            ("id", Arc::new(ids) as ArrayRef),
            ("amount", Arc::new(amounts)),
            ("big", Arc::new(big)),
            ("ratio", Arc::new(ratios)),
            ("day", Arc::new(days)),
            ("at", Arc::new(instants.with_timezone("UTC"))),
            ("local", Arc::new(local)),
            ("is_new", Arc::new(flags)),
            ("raw", Arc::new(bytes)),
            ("zip", Arc::new(zips)),
            ("gone", Arc::new(nothing)),
        ],
        100,
        parquet::basic::Compression::SNAPPY,
    )
}

#[cfg(feature = "parquet")]
const TYPED: &str = "id bigint, amount numeric, big numeric, ratio double precision, day date, at timestamp with time zone, \
  local timestamp without time zone, is_new boolean, raw bytea, zip text, gone date";

#[tokio::test(flavor = "multi_thread")]
#[cfg(feature = "parquet")]
async fn parquet_says_the_types_of_its_columns_itself_even_without_a_row() {
    let desk = Desk::new().await;
    desk.write("drop/typed.parquet", typed(3));
    let (text, inserted) = desk.all(&["drop/typed.parquet"], "typed");
    assert_eq!(inserted, 3);
    assert_eq!(desk.columns("typed").await, TYPED);
    for choice in ["numeric(12,2), as it is in the file", "text, if more than microseconds count"] {
        assert!(text.contains(choice), "{text}");
    }
    let first = "set timezone = 'UTC'; set bytea_output = 'hex'; select t.*::text from (
        select id, amount, big, ratio, day, at, local, is_new, raw, zip, gone from typed where id = 0) t";
    assert_eq!(
        desk.rows(&first.replace("t.*::text", "t::text")).await,
        [
            r#"(0,0.00,18446744073709551615,NaN,2024-10-04,"2023-11-14 22:13:20.123456+00","2023-11-14 22:13:20",t,"\\x00ff",0,)"#
        ]
    );
    desk.write("drop/none.parquet", typed(0));
    let empty = desk.init(&["drop/none.parquet", "--key", "id"]);
    assert!(empty.contains("from the columns of drop/none.parquet"), "{empty}");
    assert_eq!(desk.load(&empty, "none").count("extracted"), 0);
    assert_eq!(desk.columns("none").await, TYPED);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(feature = "parquet")]
async fn where_parquet_files_differ_in_a_type_the_values_count() {
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use std::sync::Arc;
    let desk = Desk::new().await;
    let write = |name: &str, id: i64, value: ArrayRef| {
        let columns =
            vec![("id", Arc::new(Int64Array::from(vec![id])) as ArrayRef), ("value", value)];
        let codec = parquet::basic::Compression::SNAPPY;
        desk.write(name, crate::sources::parquet::support::file(columns, 1, codec));
    };
    write("drop/a.parquet", 1, Arc::new(Int64Array::from(vec![7])));
    write("drop/b.parquet", 2, Arc::new(StringArray::from(vec!["seven"])));
    let (_, inserted) = desk.all(&["drop", "--name", "both"], "both");
    assert_eq!(inserted, 2);
    assert_eq!(desk.columns("both").await, "id bigint, value text");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_says_types_and_key_itself_even_of_an_empty_table() {
    let desk = Desk::new().await;
    desk.db
        .execute(
            r#"create schema crm;
            create domain crm.cents as integer check (value >= 0);
            create table crm."Customers" ("Id" int, no int, name varchar(20), zip text, credit numeric(12,2), f real, since timestamptz(0),
              day date, took interval, raw bytea, tags text[], extra json, cents crm.cents, mood money, primary key (no, "Id"));"#,
        )
        .await;
    let source = r#"sluice.postgres_source(connection => sluice.connection(env => 'SRC_URL'), "table" => 'crm."Customers"')"#;
    let url = desk.db.url.clone();
    let empty = desk.call(&["init", "--source", source], &url).exits(0).stdout;
    assert!(empty.contains("from the columns of crm"), "{empty}");
    desk.db
        .execute(
            r#"insert into crm."Customers" values (1, 7, ' x ', '01067', 'NaN', 0.1, 'infinity', '0044-03-15 BC', '1 mon 2 days', '\x00ff', '{a,"b c"}',
                 '{"a": [1.0]}', 5, 3.5), (2, 7, '', null, 12345678.90, 16777216, '2026-03-01 08:00:00+02', null, null, '', '{}', '"12"', null, null),
                 (3, 7, '', null, 0, 0, null, null, null, '', null, null, null, null)"#,
        )
        .await;
    let text = desk.whole(source, &[], "customers", &url);
    assert!(text.contains("key       => '{no,id}'"), "{text}");
    assert_eq!(
        desk.columns("customers").await,
        "id integer, no integer, name text, zip text, credit numeric, f real, since timestamp with time zone, day date, \
         took interval, raw bytea, tags jsonb, extra jsonb, cents integer, mood text"
    );
    assert_eq!(
        desk.rows(
            r#"select count(*) from customers c join crm."Customers" s on (c.id, c.no) = (s."Id", s.no)
               where (c.name, c.credit, c.f, c.raw) = (s.name, s.credit, s.f, s.raw) and (c.zip, c.since, c.day, c.took, c.cents, c.extra, c.tags)
                 is not distinct from (s.zip, s.since, s.day, s.took, s.cents, s.extra::jsonb, to_jsonb(s.tags))"#
        )
        .await,
        ["3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(feature = "mysql")]
async fn mysql_says_types_and_key_itself() {
    let desk = Desk::new().await;
    let Some(maria) = crate::sources::database::mariadb::Maria::new(
        "create table orders (number bigint unsigned primary key, paid decimal(30,10), at datetime(6), changed_at timestamp, b bit(3), t time, raw blob, note text);
         insert into orders values (18446744073709551615, 12345678901234567890.0123456789, '2026-03-29 02:30:00.123456', '2026-03-29 02:30:00', b'101',
           '100:00:00', x'00ff', '007'), (1, 1, '2026-03-29', '2026-03-30', b'0', '-1:00', '', '2026-01-01')",
    ) else {
        return;
    };
    let source = r#"sluice.mysql_source(connection => sluice.connection(env => 'SRC_URL'), "table" => 'orders', cursor => 'changed_at', lag => '0')"#;
    let text = desk.whole(source, &["--table", "shop.orders"], "orders", &maria.url());
    assert!(
        text.contains("orders_v1(r shop.orders_in_v1)")
            && text.contains("order_by  => 'changed_at'"),
        "{text}"
    );
    assert_eq!(
        desk.columns("shop.orders").await,
        "number numeric, paid numeric, at timestamp without time zone, changed_at timestamp without time zone, b numeric, t interval, raw bytea, note text"
    );
    assert_eq!(
        desk.rows("select paid, at, b, t, raw, note from shop.orders order by number desc").await
            [0],
        r"12345678901234567890.0123456789|2026-03-29 02:30:00.123456|5|100:00:00|\x00ff|007"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(feature = "sqlite")]
async fn cells_of_sqlite_show_their_types_and_its_table_the_key() {
    let desk = Desk::new().await;
    let connection = rusqlite::Connection::open(desk.path().join("app.db")).unwrap();
    connection
        .execute_batch(
            "create table lines (place integer, doc integer, n, code text, primary key (doc, place));
             insert into lines values (1, 1, 9223372036854775807, '007'), (2, 1, 0.1, '2026')",
        )
        .unwrap();
    let path = desk.path().join("app.db");
    let source =
        format!("sluice.sqlite_source(path => '{}', \"table\" => 'lines')", path.display());
    let text = desk.whole(&source, &[], "lines", "");
    assert!(text.contains("primary key (doc, place)") && text.contains("lines_v1(r "), "{text}");
    assert_eq!(desk.columns("lines").await, "place bigint, doc bigint, n numeric, code text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_looked_at_like_a_file() {
    let desk = Desk::new().await;
    desk.program("list-parts", "echo 'id,zip,price'; echo '1,01067,2.50'; echo '2,10115,'");
    let source = "sluice.program_source(program => 'list-parts', protocol => 'csv')";
    let text = desk.whole(source, &[], "list_parts", "");
    assert!(text.contains("list_parts_v1(r "), "{text}");
    assert_eq!(desk.columns("list_parts").await, "id bigint, zip text, price numeric");

    desk.program("list-notes", "echo '{\"id\": 1, \"by\": {\"name\": \"Ann\"}}'");
    let source = "sluice.program_source(program => 'list-notes', protocol => 'ndjson')";
    let text = desk.whole(source, &[], "list_notes", "");
    assert!(text.contains("list_notes_v1(doc jsonb)"), "{text}");
    // As rows: an object is one column, and what is none there some day is not taken for one.
    let text = desk.whole(source, &["--rows", "--name", "notes"], "notes", "");
    assert!(text.contains("notes_v1(r ") && text.contains("by jsonb"), "{text}");
    desk.program("list-notes", r#"echo '{"id": 1, "by": "12"}'"#);
    let run = desk.call(&["run", "notes", "--max-bad-ratio", "1"], "");
    assert_eq!(run.summary().count("quarantined"), 1, "{run:?}");
}

const TAP: &str = r#"
case "$*" in
*--discover*) echo '{"streams": [{"tap_stream_id": "orders", "stream": "orders", "metadata": [{"breadcrumb": [], "metadata": {"table-key-properties": ["no"]}}],
  "schema": {"properties": {"no": {"type": "string"}, "paid_at": {"type": ["null", "string"], "format": "date-time"}, "total": {"type": ["null", "number"]}, "tax": {"type": "number"}}}},
  {"tap_stream_id": "lines", "stream": "lines", "schema": {}}]}'; exit;;
esac
echo '{"type": "RECORD", "stream": "orders", "record": {"no": "0001", "paid_at": null, "total": null, "tax": 1}}'
echo '{"type": "RECORD", "stream": "orders", "record": {"no": "0002", "paid_at": null, "total": null, "tax": 2}}'
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_is_asked_for_its_streams_their_key_and_what_records_do_not_show() {
    let desk = Desk::new().await;
    desk.program("tap-shop", TAP);
    let asked = desk.call(
        &[
            "init",
            "--source",
            "sluice.program_source(program => 'tap-shop', protocol => 'singer', stream => '?')",
        ],
        "",
    );
    let refusal = asked.exits(2).stderr;
    assert!(refusal.contains("it has orders, lines"), "{refusal}");
    let source =
        "sluice.program_source(program => 'tap-shop', protocol => 'singer', stream => 'orders')";
    desk.whole(source, &[], "orders", "");
    assert_eq!(
        desk.columns("orders").await,
        "no text, paid_at timestamp with time zone, total numeric, tax numeric"
    );
}

const CONNECTOR: &str = r#"
case "$1" in
discover) echo '{"type": "CATALOG", "catalog": {"streams": [{"name": "orders", "supported_sync_modes": ["full_refresh"],
  "source_defined_primary_key": [["shop"], ["no"]], "json_schema": {"properties": {"note": {"type": ["null", "object"]}}}}]}}' | tr -d '\n'; echo; exit;;
esac
echo '{"type": "RECORD", "record": {"stream": "orders", "data": {"shop": 1, "no": 1, "note": null}}}'
echo '{"type": "RECORD", "record": {"stream": "orders", "data": {"shop": 1, "no": 2, "note": null}}}'
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_is_asked_for_its_streams_their_key_and_what_records_do_not_show() {
    let desk = Desk::new().await;
    desk.program("source-shop", CONNECTOR);
    let asked = desk.call(
        &[
            "init",
            "--source",
            "sluice.program_source(program => 'source-shop', protocol => 'airbyte', stream => '?')",
        ],
        "",
    );
    let refusal = asked.exits(2).stderr;
    assert!(refusal.contains("it has orders"), "{refusal}");
    let source = "sluice.program_source(program => 'source-shop', protocol => 'airbyte', stream => 'orders')";
    let text = desk.whole(source, &[], "orders", "");
    assert!(text.contains("primary key (shop, no)"), "{text}");
    assert_eq!(desk.columns("orders").await, "shop bigint, no bigint, note jsonb");
}
