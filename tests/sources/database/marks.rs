//! Marks: exact, inclusive, and safe from what would shift, cut or hide them.

use serde_json::json;

use super::support::{Runs, Shop};

fn by(shop: &Shop, cursor: &str) -> serde_json::Value {
    shop.settings(json!({"table": "t", "cursor": cursor, "key": ["id"]}))
}

/// For each type of a cursor: two rows with one value, one a little later. Nothing is cut,
/// nothing shifted by the zone in which the server writes.
#[test]
fn marks_keep_every_digit_in_any_session_zone_and_equal_ones_are_read_again() {
    let cases = [
        ("timestamptz", "2026-03-01 08:00:00.123455+00", "2026-03-01 08:00:00.123456+00"),
        ("timestamp", "2026-03-29 02:30:00.999999", "2026-03-29 02:30:01"),
        ("timestamptz", "2026-10-25 00:30:00+00", "2026-10-25 01:30:00+00"),
        ("date", "2026-03-01", "2026-03-02"),
        ("bigint", "9007199254740992", "9007199254740993"),
        ("numeric", "0.1000000000000000000001", "0.1000000000000000000002"),
        ("float8", "0.1", "0.10000000000000002"),
        ("text", "Zebra", "apple"),
        ("text", "a'; drop table t; --\\", "b"),
        ("char(4)", "a", "a0"),
        ("uuid", "00000000-0000-0000-0000-000000000009", "00000000-0000-0000-0000-00000000000a"),
        ("bytea", "\\x09", "\\x0a"),
        ("interval", "1 mon", "1 mon 1 us"),
    ];
    for (type_name, older, newer) in cases {
        let shop = Shop::new(&format!("create table t (id int, at {type_name})"));
        let db = &shop.db.name;
        shop.execute(&format!(
            "alter database {db} set timezone = 'Europe/Berlin'; alter database {db} set datestyle = 'SQL, DMY';
             alter database {db} set extra_float_digits = -15; alter database {db} set intervalstyle = 'sql_standard';
             alter database {db} set bytea_output = 'escape'; alter database {db} set standard_conforming_strings = off"
        ));
        let quoted = |text: &str| format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let (older, newer) = (quoted(older), quoted(newer));
        shop.execute(&format!("set datestyle = 'ISO, YMD'; set timezone = 'UTC'; insert into t values (1, {older}), (2, {newer})"));
        let (settings, mut runs) = (by(&shop, "at"), Runs::default());
        assert_eq!(runs.ids(&settings), [1, 2], "{type_name}");
        shop.execute(&format!("set datestyle = 'ISO, YMD'; set timezone = 'UTC'; insert into t values (3, {newer}), (4, {older})"));
        assert_eq!(runs.ids(&settings), [2, 3], "{type_name}: from {newer} on");
    }
}

#[test]
fn rows_of_one_timestamp_are_told_apart_by_their_key_when_a_read_is_broken_off() {
    let shop = Shop::new(
        "create table t (a text, b int, id int, at timestamptz default '2026-01-01Z', primary key (a, b))",
    );
    shop.execute("insert into t select case i % 3 when 0 then 'B' when 1 then 'a' else 'Z' end, i, i from generate_series(1, 9) i");
    let settings = shop.settings(json!({"table": "t", "cursor": "at"}));
    let mut runs = Runs::default();
    let mut found = Vec::new();
    for _ in 0..9 {
        found.extend(runs.killed(&settings, 1));
    }
    assert_eq!(found, [3, 6, 9, 2, 5, 8, 1, 4, 7], "by the bytes of its key, each once");
}

/// The order of a language would say that "a" comes before "B"; a place found under one order
/// means nothing under another.
#[test]
fn keys_are_ordered_by_their_bytes_whatever_the_collation() {
    let shop = Shop::new(
        "create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         create table t (k text collate any_case primary key, id int);
         insert into t values ('B', 1), ('a', 2), ('é', 3), ('Z', 4), ('e', 5)",
    );
    let settings = shop.settings(json!({"table": "t"}));
    let mut runs = Runs::default();
    let found: Vec<i64> = (0..5).flat_map(|_| runs.killed(&settings, 1)).collect();
    assert_eq!(found, [1, 4, 2, 5, 3]);
}

#[test]
fn a_row_of_the_future_hides_nothing() {
    for type_name in ["timestamptz", "timestamp", "date"] {
        let shop = Shop::new(&format!("create table t (id int, at {type_name})"));
        shop.execute("insert into t values (1, '2026-01-01'), (2, '9999-01-01'), (3, 'infinity'), (4, '-infinity')");
        let (settings, mut runs) = (by(&shop, "at"), Runs::default());
        assert_eq!(runs.ids(&settings), [4, 1, 2, 3]);
        shop.execute("insert into t values (5, '2026-01-02')");
        assert_eq!(runs.ids(&settings), [1, 5, 2, 3], "{type_name}");
    }
}

#[test]
fn rows_without_a_cursor_are_read_in_each_run_or_refused() {
    let shop = Shop::new("create table t (id int primary key, at timestamptz)");
    shop.execute(
        "insert into t values (1, '2026-01-01Z'), (2, null), (3, '2026-01-02Z'), (4, null)",
    );
    let (settings, mut runs) = (by(&shop, "at"), Runs::default());
    assert_eq!(runs.ids(&settings), [2, 4, 1, 3]);
    assert_eq!(runs.ids(&settings), [2, 4, 3]);
    let mut killed = Runs::default();
    let found: Vec<i64> = (0..4).flat_map(|_| killed.killed(&settings, 1)).collect();
    assert_eq!(found, [2, 4, 1, 3]);
    let refuse = shop.settings(json!({"table": "t", "cursor": "at", "null_cursor": "refuse"}));
    let said = super::support::refusal(&refuse);
    assert!(
        said.contains("the cursor q.\"at\" is null") && said.contains("null_cursor => 'read'"),
        "{said}"
    );
    shop.execute("update t set at = '2026-01-03Z' where at is null");
    assert_eq!(Runs::default().ids(&refuse), [1, 3, 2, 4]);
}

/// A row that changes while the read is broken off moves behind the place, and is read there.
#[test]
fn a_row_that_changes_during_a_read_is_not_missed() {
    let shop = Shop::new("create table t (id int primary key, at timestamptz)");
    shop.execute("insert into t select i, timestamptz '2026-01-01Z' + i * interval '1 h' from generate_series(1, 6) i");
    let (settings, mut runs) = (by(&shop, "at"), Runs::default());
    assert_eq!(runs.killed(&settings, 2), [1, 2]);
    shop.execute("update t set at = '2026-02-01Z' where id in (2, 5); delete from t where id = 3");
    assert_eq!(runs.ids(&settings), [4, 6, 2, 5]);
}

#[test]
fn a_lag_looks_further_back() {
    let shop = Shop::new("create table t (id int primary key, at timestamptz, n bigint)");
    shop.execute("insert into t values (1, '2026-01-01 10:00Z', 100), (2, '2026-01-01 10:09Z', 109), (3, '2026-01-01 10:20Z', 120)");
    for (cursor, lag) in [("at", json!(660)), ("n", json!(11))] {
        let settings = shop.settings(json!({"table": "t", "cursor": cursor, "lag": lag}));
        let mut runs = Runs::default();
        assert_eq!(runs.ids(&settings), [1, 2, 3]);
        assert_eq!(runs.ids(&settings), [2, 3], "{cursor}");
    }
    let text = json!({"query": "select 'a' as c, 1 as id", "cursor": "c", "key": ["id"], "lag": 1});
    let mut runs = Runs::default();
    assert_eq!(runs.ids(&shop.settings(text.clone())), [1], "there is no mark yet");
    let said = runs.run(&shop.settings(text)).error_text();
    assert!(
        said.contains("no lag can be taken from the cursor") && said.contains("of type text"),
        "{said}"
    );
}

#[test]
fn another_cursor_column_begins_anew_and_says_so() {
    let shop = Shop::new("create table t (id int primary key, at timestamptz, n int)");
    shop.execute("insert into t values (1, '2026-01-01Z', 1), (2, '2026-01-02Z', 2)");
    let mut runs = Runs::default();
    assert_eq!(runs.ids(&by(&shop, "at")), [1, 2]);
    let outcome = runs.run(&by(&shop, "n")).ok();
    assert_eq!(outcome.records.len(), 2);
    assert_eq!(outcome.remarks, ["the cursor is another column than before: everything is read"]);
    assert_eq!(runs.killed(&by(&shop, "n"), 1), [2]);
}

/// Every value of the cursor belongs to a range, and nothing else.
#[test]
fn a_range_is_read_once_and_leaves_no_marks() {
    let shop = Shop::new("create table t (id int primary key, at timestamptz)");
    shop.execute("insert into t select i, timestamptz '2026-01-01Z' + i * interval '1 day' from generate_series(1, 9) i; insert into t values (10, null)");
    let range = |range: serde_json::Value| {
        shop.settings(json!({"table": "t", "cursor": "at", "range": range}))
    };
    let whole = range(json!({"from": "2026-01-04 00:00Z", "to": "2026-01-06 00:00Z"}));
    let mut runs = Runs::default();
    assert_eq!(runs.killed(&whole, 1), [3]);
    assert_eq!(runs.ids(&whole), [4, 5]);
    assert_eq!(runs.cursor, Some(json!({"done": true})));
    assert_eq!(runs.ids(&whole), [] as [i64; 0]);
    assert_eq!(Runs::default().ids(&range(json!({"from": "2026-01-09Z"}))), [8, 9]);
    assert_eq!(Runs::default().ids(&range(json!({"to": "2026-01-02Z"}))), [1]);
}
