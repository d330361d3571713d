//! `sluice verify --source` of a pipeline with several targets: the documents of a source beside the orders and lines
//! that are made of them.

use super::support::{Shop, wait};
use crate::support::{Sluice, TestDb};
use serde_json::{Value, json};

const TABLES: &str = "create schema shop;
create table shop.docs (id int primary key, doc jsonb);
create table shop.orders (id int primary key, n int, at int);
create table shop.lines (id int references shop.orders, no int, sku text, primary key (id, no));
create function shop.orders_v1(doc jsonb) returns table (id int, n int, at int, sluice_deleted boolean)
language sql stable as $$
  select (doc->>'id')::int, (doc#>>'{doc,n}')::int, (doc#>>'{doc,at}')::int, doc->'doc' ? 'gone' $$;
create function shop.lines_v1(doc jsonb) returns table (id int, no int, sku text) language sql stable as $$
  select (doc->>'id')::int, no, sku
  from jsonb_array_elements_text(doc#>'{doc,lines}') with ordinality l (sku, no) $$;
insert into shop.docs select i, jsonb_build_object('n', i, 'at', 5, 'lines', jsonb_build_array('a' || i, 'b' || i))
from generate_series(1, 10) i;";

fn shop(children: &str) -> Shop {
    let shop = Shop::of(wait(TestDb::new()), TABLES);
    let settings = shop.settings(json!({"table": "shop.docs"}));
    wait(shop.db.execute(&format!(
        "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{{id}}', order_by => 'at', max_bad_ratio => 1, source => '{settings}',
           also => array[sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines', key => '{{id,no}}',
             parent => '{{id}}', children => '{children}')])"
    )));
    Sluice::on(&shop.db).args(["run", "orders"]).run().exits(0);
    shop
}

/// The differences as kind, target and key, and the checks that were not ok.
fn compare(db: &TestDb, more: &[&str]) -> (Vec<String>, Vec<String>, i32) {
    let done = Sluice::on(db).args(["verify", "orders", "--source", "--json"]).args(more).run();
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let list = |name: &str, shown: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        let values = report[name].as_array().unwrap();
        values.iter().filter_map(shown).collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let differences = list("differences", &|found| {
        Some(format!("{} {} {}", text(&found["what"]), text(&found["target"]), found["key"]))
    });
    let checks = list("checks", &|check| {
        (check["ok"] != true)
            .then(|| format!("{}: {}", text(&check["check"]), text(&check["detail"])))
    });
    (differences, checks, done.code.unwrap())
}

#[test]
fn rows_of_every_target_are_compared_and_repaired() {
    let shop = shop("replace");
    assert_eq!(compare(&shop.db, &[]), (vec![], vec![], 0));
    shop.execute(
        r#"update shop.lines set sku = 'by hand' where (id, no) = (1, 1);
           delete from shop.lines where (id, no) = (2, 2);
           insert into shop.lines select 3, 9, sku, sluice_hash, sluice_batch from shop.lines where (id, no) = (3, 1);
           update shop.docs set doc = doc || '{"lines": ["c4"], "at": 6}' where id = 4;
           delete from shop.lines where id = 5; delete from shop.orders where id = 5;
           update shop.orders set at = 9, n = 0 where id = 6;
           update shop.docs set doc = doc || '{"gone": 1, "at": 6}' where id = 7;
           delete from shop.docs where id = 8"#,
    );
    let (differences, checks, code) = compare(&shop.db, &[]);
    assert_eq!(
        differences,
        [
            r#"different - {"id":4}"#,
            r#"edited here - {"id":6}"#,
            r#"missing here - {"id":5}"#,
            r#"not deleted here - {"id":7}"#,
            r#"not in the source - {"id":8}"#,
            r#"different shop.lines {"id":4,"no":1}"#,
            r#"edited here shop.lines {"id":1,"no":1}"#,
            r#"missing here shop.lines {"id":2,"no":2}"#,
            r#"missing here shop.lines {"id":5,"no":1}"#,
            r#"missing here shop.lines {"id":5,"no":2}"#,
            r#"not deleted here shop.lines {"id":7,"no":1}"#,
            r#"not deleted here shop.lines {"id":7,"no":2}"#,
            r#"not in its record shop.lines {"id":3,"no":9}"#,
            r#"not in its record shop.lines {"id":4,"no":2}"#,
            r#"not in the source shop.lines {"id":8,"no":1}"#,
            r#"not in the source shop.lines {"id":8,"no":2}"#,
        ]
    );
    assert_eq!(code, 1);
    assert_eq!(
        checks[1..],
        [
            "target rows: 1 of 9 rows are not in the source any more",
            "target rows of shop.lines: 2 of 18 rows are not in the source any more"
        ],
        "{checks:?}"
    );
    let (differences, _, _) = compare(&shop.db, &["--repair"]);
    // What is not in the source any more is not for a repair, but for a complete read.
    assert_eq!(
        differences,
        [
            r#"not in the source - {"id":8}"#,
            r#"not in the source shop.lines {"id":8,"no":1}"#,
            r#"not in the source shop.lines {"id":8,"no":2}"#,
        ]
    );
    let lines = "select id, string_agg(sku, ',' order by no) from shop.lines where id < 8 group by id order by id";
    assert_eq!(
        wait(shop.db.rows(lines)),
        ["1|a1,b1", "2|a2,b2", "3|a3,b3", "4|c4", "5|a5,b5", "6|a6,b6"]
    );
    let books = "select * from sluice.verify('orders') where is_ok is not true";
    assert_eq!(wait(shop.db.rows(books)), Vec::<String>::new());
}

#[test]
fn what_children_that_are_kept_have_beyond_the_source_is_told_and_no_fault() {
    let shop = shop("keep");
    shop.execute(r#"update shop.docs set doc = doc || '{"lines": ["a1"], "at": 6}' where id = 1"#);
    Sluice::on(&shop.db).args(["rewind", "orders", "--to-start"]).run().exits(0);
    Sluice::on(&shop.db).args(["run", "orders"]).run().exits(0);
    let (differences, checks, code) = compare(&shop.db, &[]);
    assert_eq!(differences, [r#"not in the source shop.lines {"id":1,"no":2}"#]);
    assert_eq!((checks, code), (vec![], 0));
}

/// An older document of an order that came again: the newer one counts, for its lines, too.
#[test]
fn an_older_record_of_an_order_is_no_difference_and_is_not_repaired() {
    let shop = shop("replace");
    shop.execute(
        r#"create table shop.older (like shop.docs);
           insert into shop.docs values (11, '{"n": 11, "at": 5, "lines": ["new", "lines"]}');"#,
    );
    Sluice::on(&shop.db).args(["rewind", "orders", "--to-start"]).run().exits(0);
    Sluice::on(&shop.db).args(["run", "orders"]).run().exits(0);
    // Here the order is newer than in its source.
    shop.execute(
        r#"update shop.docs set doc = '{"n": 11, "at": 3, "lines": ["old"]}' where id = 11"#,
    );
    let (differences, _, _) = compare(&shop.db, &["--repair"]);
    assert_eq!(
        differences,
        [
            r#"newer here - {"id":11}"#,
            r#"newer here shop.lines {"id":11,"no":1}"#,
            r#"not in the source shop.lines {"id":11,"no":2}"#
        ]
    );
    let lines = "select string_agg(sku, ',' order by no) from shop.lines where id = 11";
    assert_eq!(wait(shop.db.value(lines)), "new,lines");
}

/// Its lines were loaded, and stay: nobody can tell what the record would make of them now.
#[test]
fn lines_of_an_order_whose_record_is_bad_now_are_not_called_missing_in_the_source() {
    let shop = shop("replace");
    shop.execute(r#"update shop.docs set doc = doc || '{"n": "many"}' where id = 1"#);
    Sluice::on(&shop.db).args(["rewind", "orders", "--to-start"]).run().exits(0);
    Sluice::on(&shop.db).args(["run", "orders"]).run().exits(0);
    let (_, checks, code) = compare(&shop.db, &[]);
    let or = "or they are those of records that cannot be transformed now: 1";
    assert_eq!(
        checks,
        [
            format!("target rows: 1 of 10 rows are not in the source any more; {or}"),
            format!("target rows of shop.lines: 2 of 20 rows are not in the source any more; {or}")
        ]
    );
    assert_eq!(code, 6, "nobody can tell");
}
