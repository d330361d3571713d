//! MySQL and MariaDB, against MariaDB.

use serde_json::json;

use super::mariadb::Maria;
use super::support::{Runs, Shop, refusal, wait};
use crate::sources::file::support::Folder;
use crate::support::{Sluice, TestDb};

#[test]
fn values_arrive_as_the_server_prints_them() {
    let cases = [
        ("date", "'0000-00-00'", "\"0000-00-00\""),
        ("datetime(6)", "'0000-00-00 00:00:00'", "\"0000-00-00 00:00:00.000000\""),
        ("datetime(6)", "'2026-03-29 02:30:00.123456'", "\"2026-03-29 02:30:00.123456\""),
        ("date", "'2026-00-31'", "\"2026-00-31\""),
        ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("bigint", "-9223372036854775808", "-9223372036854775808"),
        ("int(5) zerofill", "42", "42"),
        ("bit(1)", "b'1'", "1"),
        ("bit(64)", "~0", "18446744073709551615"),
        ("tinyint(1)", "1", "1"),
        ("tinyint(1)", "2", "2"),
        (
            "decimal(65,30)",
            "12345678901234567890123456789012345.123456789012345678901234567890",
            "12345678901234567890123456789012345.123456789012345678901234567890",
        ),
        ("float", "16777217", "16777216"),
        ("float", "0.1", "0.10000000149011612"),
        ("double", "0.1", "0.1"),
        ("double", "1.7976931348623157e308", "1.7976931348623157e308"),
        ("time(6)", "'838:59:59.999999'", "\"838:59:59.999999\""),
        ("time", "'-838:59:59'", "\"-838:59:59\""),
        ("year", "2026", "2026"),
        ("varbinary(9)", "x'00ff5c'", "\"\\\\x00ff5c\""),
        ("blob", "x'deadbeef'", "\"\\\\xdeadbeef\""),
        ("varchar(20)", "'a\\\\\"😀\\n'", "\"a\\\\\\\"😀\\u000a\""),
        ("varchar(20) character set latin1", "'é'", "\"é\""),
        ("text", "concat('a', char(0), 'b')", "\"a\\u0000b\""),
        ("enum('x','y')", "'y'", "\"y\""),
        ("set('x','y')", "'x,y'", "\"x,y\""),
        ("int", "null", "null"),
    ];
    let Some(maria) = Maria::new("") else { return };
    for (type_name, value, expected) in cases {
        maria.execute(&format!("set sql_mode = ''; create or replace table t (id int primary key, v {type_name}); insert into t values (1, {value})"));
        let payloads = Runs::default().run(&maria.settings(json!({"table": "t"}))).ok().payloads();
        assert_eq!(payloads, [format!("{{\"id\":1,\"v\":{expected}}}")], "{type_name} {value}");
    }
}

#[test]
fn a_zero_date_is_in_quarantine_and_its_neighbours_are_loaded() {
    let Some(maria) = Maria::new(
        "set sql_mode = ''; create table t (id int primary key, d date); insert into t values (1, '2026-01-01'), (2, 0), (3, null)",
    ) else {
        return;
    };
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.t (id int primary key, d date);
         create function shop.t_v1(doc jsonb) returns table (id int, d date) language sql stable as $$ select (doc->>'id')::int, (doc->>'d')::date $$",
    );
    let source = maria.settings(json!({"table": "t"}));
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 't', version => 1, transform => 'shop.t_v1', target => 'shop.t', key => '{{id}}', source => '{source}', max_bad_ratio => 1)"
    ));
    let done = Sluice::on(&shop.db).args(["run", "t"]).run().exits(0);
    assert_eq!((done.summary().count("inserted"), done.summary().count("quarantined")), (2, 1));
    assert_eq!(
        wait(shop.db.value("select convert_from(payload, 'UTF8') from sluice.quarantine")),
        "{\"id\":2,\"d\":\"0000-00-00\"}"
    );
}

/// Each type of a cursor and a key: broken off behind every row, each row comes once, and the
/// newest again in the next run.
#[test]
fn marks_and_places_are_exact_for_every_type() {
    let cases = [
        ("timestamp(6)", "'2026-03-01 08:00:00.123455'", "'2026-03-01 08:00:00.123456'"),
        ("datetime", "'2026-03-29 02:30:00'", "'2026-03-29 02:30:01'"),
        ("date", "'2026-03-01'", "'2026-03-02'"),
        ("bigint unsigned", "18446744073709551614", "18446744073709551615"),
        ("decimal(40,20)", "0.10000000000000000001", "0.10000000000000000002"),
        ("double", "0.1", "0.10000000000000002"),
        ("float", "0.1", "0.10000001"),
        ("varchar(9)", "'Z'", "'a'"),
        ("varchar(9)", "'a'", "'a '"),
        ("varchar(20)", "'it''s'", "'ü'"),
        ("varbinary(9)", "x'09'", "x'0a00'"),
        ("varbinary(9)", "''", "x'00'"),
        ("varchar(9)", "''", "'a'"),
        ("varchar(9)", "'a'", "concat('a', char(0))"),
        ("text", "concat(rpad('', 1400, 'x'), 'a')", "rpad('', 1401, 'x')"),
        ("set('x','y')", "''", "'x'"),
        ("enum('y','x')", "'x'", "'y'"),
        ("bit(8)", "b'1'", "b'11'"),
        ("bit(64)", "1", "1 << 63"),
        ("bit(64)", "~1", "~0"),
        ("year", "0", "1970"),
        ("time(6)", "'-838:59:59'", "'838:59:59.999999'"),
        ("date", "'0000-00-00'", "'2026-00-31'"),
        ("date", "'2026-02-28'", "'2026-02-31'"),
        ("datetime", "'2026-02-31 10:00:00'", "'2026-04-31 10:00:00'"),
    ];
    let Some(maria) = Maria::new("") else { return };
    for (type_name, older, newer) in cases {
        maria.execute(&format!("set sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'; create or replace table t (k {type_name}, id int); insert into t values ({newer}, 2), ({older}, 1)"));
        let by_key = maria.settings(json!({"table": "t", "key": ["k"]}));
        let mut runs = Runs::default();
        assert_eq!([runs.killed(&by_key, 1), runs.ids(&by_key)].concat(), [1, 2], "{type_name}");
        let by_cursor =
            maria.settings(json!({"table": "t", "cursor": "k", "key": ["id"], "lag": 0}));
        let mut runs = Runs::default();
        assert_eq!(
            [runs.killed(&by_cursor, 1), runs.ids(&by_cursor)].concat(),
            [1, 2],
            "{type_name}"
        );
        assert_eq!(runs.ids(&by_cursor), [2], "{type_name}");
    }
}

#[test]
fn a_lag_looks_further_back_and_the_future_hides_nothing() {
    let Some(maria) = Maria::new(
        "create table t (id int primary key, at datetime, n bigint unsigned);
         insert into t values (1, '2026-01-01 10:00', 5), (2, '2026-01-01 10:09', 9), (3, '2026-01-01 10:20', 20), (4, '9999-01-01', null)",
    ) else { return };
    let by_time = maria.settings(json!({"table": "t", "cursor": "at", "lag": 660}));
    let by_number = maria.settings(json!({"table": "t", "cursor": "n", "lag": 11}));
    let (mut times, mut numbers) = (Runs::default(), Runs::default());
    assert_eq!(times.ids(&by_time), [1, 2, 3, 4]);
    assert_eq!(times.ids(&by_time), [2, 3, 4]);
    assert_eq!(numbers.ids(&by_number), [4, 1, 2, 3]);
    assert_eq!(numbers.ids(&by_number), [4, 2, 3]);
    let range = maria.settings(json!({"table": "t", "cursor": "at", "lag": 0, "range": {"from": "2026-01-01 10:09:00", "to": "2026-01-01 10:20:00"}}));
    assert_eq!(Runs::default().ids(&range), [2, 3]);
}

#[test]
fn a_session_that_is_ended_goes_on_where_it_was() {
    let Some(maria) = Maria::new(
        "create table t (id int primary key, pad longtext); insert into t select seq, repeat('x', 20000) from seq_1_to_3000",
    ) else {
        return;
    };
    let settings = maria.settings(json!({"table": "t"}));
    let mut driver = Runs::default().open(&settings, super::support::rows(100));
    let mut found = 0;
    while let Some(batch) = driver.next_batch().unwrap() {
        found += batch.rows;
        if found == 100 {
            maria.execute("set @kill = (select concat('kill ', id) from information_schema.processlist where db = database() and id <> connection_id()); execute immediate @kill");
        }
    }
    assert_eq!(found, 3000);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let Some(maria) = Maria::new(
        "create table heap (id int); create table t (id int primary key); insert into heap values (1), (1)",
    ) else {
        return;
    };
    for (more, message) in [
        (json!({"table": "nope"}), "doesn't exist"),
        (json!({"table": "heap"}), "has no primary key"),
        (json!({"table": "heap", "key": ["id"]}), "two rows of the source have the key"),
        (json!({"table": "t", "key": ["no"]}), "the source has no column no"),
        (json!({"query": "select 1 as id, 2 as id", "key": ["id"]}), "Duplicate column name"),
        (
            json!({"query": "select sleep(20) as id", "key": ["id"], "statement_timeout": 0.05}),
            "raise statement_timeout of the source",
        ),
    ] {
        let said = refusal(&maria.settings(more.clone()));
        assert!(said.contains(message), "{more}: {said}");
    }
    let backfill = json!({"table": "t", "cursor": "id", "lag": 0, "range": {"from": "1 or true"}});
    let said = refusal(&maria.settings(backfill));
    assert!(said.contains("is not a value of column id"), "{said}");
}

#[test]
fn its_rows_are_compared_with_the_target_and_repaired() {
    let Some(maria) = Maria::new(
        "create table t (id varchar(20) collate utf8mb4_bin primary key, name text, at datetime(6));
         insert into t values ('a', 'ay', '2026-01-01'), ('B', 'Bee', '2026-01-01'), ('b', 'bee', '2026-01-02'), ('\u{e4}', 'x', '2026-01-03'), ('5', 'y', '2026-01-04')",
    ) else {
        return;
    };
    let settings = maria.settings(json!({"table": "t", "cursor": "at", "lag": 0}));
    super::compare::finds_and_repairs(&settings, |sql| maria.execute(sql), "'\u{e4}'");
}

#[test]
fn a_connection_is_encrypted_and_the_server_is_the_one_that_the_authority_vouches_for() {
    let Some(maria) = Maria::new(
        "create table t (id int primary key); insert into t values (1);
         create or replace user tls@'%' identified by 'word' require ssl; grant select on *.* to tls@'%'",
    ) else {
        return;
    };
    let settings = maria.settings(json!({"table": "t"}));
    let url = maria.url().replace("root@", "tls:word@");
    let moved = |more: &str| maria.move_to(&format!("{url}{more}"));
    moved("");
    let refused = refusal(&settings);
    assert!(refused.contains("Access denied"), "{refused}");
    moved("?require_ssl=true");
    let refused = refusal(&settings);
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    moved(&format!("?ssl_ca={}", maria.ca()));
    assert_eq!(Runs::default().ids(&settings), [1]);
    let elsewhere = Folder::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    elsewhere.write("ca.pem", other.pem());
    moved(&format!("?require_ssl=true&ssl_ca={}", elsewhere.name("ca.pem")));
    let refused = refusal(&settings);
    assert!(refused.contains("invalid peer certificate"), "{refused}");
}

/// Mark and rows are of one snapshot: what is committed between looks is newer than the mark.
#[test]
fn rows_that_come_between_the_mark_and_the_read_are_read_by_the_next_run() {
    let Some(maria) = Maria::new(
        "create table t (id int primary key, at datetime); insert into t select seq, '2026-01-01' + interval seq day from seq_1_to_4",
    ) else {
        return;
    };
    let settings = maria.settings(json!({"table": "t", "cursor": "at", "lag": 0}));
    let mut runs = Runs::default();
    assert_eq!(runs.killed(&settings, 2), [1, 2]);
    maria.execute("insert into t values (5, '2026-01-09')");
    assert_eq!(runs.ids(&settings), [3, 4, 5]);
    assert_eq!(runs.ids(&settings), [4, 5]);
}

/// The server's patience with a reader that commits batches meanwhile is not the reader's concern.
#[test]
fn a_server_that_would_cut_off_slow_readers_waits_for_this_one() {
    let Some(maria) = Maria::new(
        "create table t (id int primary key, pad longtext); insert into t select seq, repeat('x', 50000) from seq_1_to_2000;
         set global net_write_timeout = 1",
    ) else {
        return;
    };
    let settings = maria.settings(json!({"table": "t"}));
    let mut driver = Runs::default().open(&settings, super::support::rows(100));
    let mut found = driver.next_batch().unwrap().unwrap().rows;
    let stuck = "select count(*) into @stuck from information_schema.processlist where db = database() and id <> connection_id() and time_ms > 2500; \
                 set @wait = if(@stuck = 0, 'select sleep(0.1)', 'do 0')";
    // Until the server has been stuck with its answer for longer than it would have patience.
    maria.execute(&format!(
        "delimiter //\nbegin not atomic repeat {stuck}; execute immediate @wait; until @stuck > 0 end repeat; end //\n"
    ));
    while let Some(batch) = driver.next_batch().unwrap() {
        assert_eq!(batch.retried, 0);
        found += batch.rows;
    }
    maria.execute("set global net_write_timeout = 60");
    assert_eq!(found, 2000);
}
