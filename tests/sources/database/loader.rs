//! Databases as sources of the real loader.

use super::support::{Shop, wait};
use crate::support::{Sluice, TestDb};
use serde_json::json;

/// Source and target in one database, with the settings in `more`.
fn define(more: serde_json::Value, policy: &str) -> Shop {
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.t (id int primary key, name text, at timestamptz default now());
         insert into shop.t select i, 'n' || i, timestamptz '2026-01-01Z' + i * interval '1 h' from generate_series(1, 20) i;
         create table shop.copy (id int primary key, name text, at timestamptz);
         create function shop.copy_v1(doc jsonb) returns table (id int, name text, at timestamptz) language sql stable as $$
           select (doc->>'id')::int, doc->>'name', (doc->>'at')::timestamptz $$",
    );
    let mut settings = shop.settings(json!({"table": "shop.t"}));
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{id}}', source => '{settings}'{policy})"
    ));
    shop
}

fn run(shop: &Shop, args: &[&str]) -> crate::support::Summary {
    Sluice::on(&shop.db).args(args).run().exits(0).summary()
}

#[test]
fn a_table_without_a_cursor_is_read_whole_and_what_it_no_longer_has_is_deleted() {
    let shop = define(json!({}), ", missing => 'delete'");
    let first = run(&shop, &["run", "copy", "--batch-rows", "7"]);
    assert_eq!(
        (first.count("extracted"), first.count("inserted"), first.count("batches")),
        (20, 20, 4)
    );
    shop.execute("delete from shop.t where id = 3; update shop.t set name = 'new' where id = 5");
    let second = run(&shop, &["run", "copy", "--batch-rows", "7"]);
    assert_eq!(
        (second.count("updated"), second.count("deleted"), second.count("unchanged")),
        (1, 1, 18)
    );
    shop.execute("truncate shop.t");
    run(&shop, &["run", "copy"]);
    // An empty answer is more often a mistake than the truth.
    assert_eq!(wait(shop.db.value("select count(*) from shop.copy")), "19");
}

#[test]
fn a_broken_off_read_of_a_whole_table_is_gone_on_with_and_still_knows_what_is_missing() {
    let shop = define(json!({}), ", missing => 'delete'");
    run(&shop, &["run", "copy"]);
    shop.execute("delete from shop.t where id in (2, 19)");
    run(&shop, &["run", "copy", "--batch-rows", "5", "--max-batches", "2"]);
    assert_eq!(wait(shop.db.value("select count(*) from shop.copy")), "20");
    let rest = run(&shop, &["run", "copy"]);
    assert_eq!((rest.count("extracted"), rest.count("deleted")), (8, 2));
}

#[test]
fn a_cursor_reads_what_is_new_and_a_backfill_a_range_beside_it() {
    let shop = define(json!({"cursor": "at"}), ", order_by => 'at'");
    assert_eq!(run(&shop, &["run", "copy"]).count("inserted"), 20);
    assert_eq!(run(&shop, &["run", "copy"]).count("extracted"), 1, "the newest, again");
    shop.execute("insert into shop.t values (21, 'x', '2026-01-02Z')");
    assert_eq!(run(&shop, &["run", "copy"]).count("inserted"), 1);
    // Changed without a newer cursor: only a backfill sees it.
    shop.execute("delete from shop.copy where id in (4, 5)");
    assert_eq!(run(&shop, &["run", "copy"]).count("inserted"), 0);
    let backfill = run(
        &shop,
        &["backfill", "copy", "--from", "2026-01-01T04:00Z", "--to", "2026-01-01T06:00Z"],
    );
    assert_eq!((backfill.count("extracted"), backfill.count("inserted")), (3, 2));
    // Not row by row: some rows were deleted by hand.
    let broken = "select check_name, detail from sluice.verify() where not is_ok";
    assert_eq!(wait(shop.db.rows(broken)), [""; 0]);
}

#[test]
fn ranges_that_mean_nothing_are_refused() {
    let shop = define(json!({"cursor": "at"}), "");
    for (args, message) in [
        (
            ["--from", "yesterday-ish", "--to", "2026-01-02Z"],
            "invalid input syntax for type timestamp with time zone",
        ),
        (["--from", "2026-01-02Z", "--to", "2026-01-01Z"], "ends before it begins"),
        (["--from", "2026-01-01", "--to", "2026-01-02"], "to_mark is a day"),
    ] {
        let done = Sluice::on(&shop.db).args(["backfill", "copy"]).args(args).run();
        assert_ne!(done.code, Some(0), "{args:?}: {done:?}");
        assert!(
            done.stderr.contains(message) || done.stdout.contains(message),
            "{args:?}: {done:?}"
        );
    }
    let plain = define(json!({}), "");
    let done = Sluice::on(&plain.db).args(["backfill", "copy", "--from", "1"]).run().exits(2);
    assert!(done.stderr.contains("this source knows no ranges"), "{done:?}");
    let refused = "pipeline copy: missing => 'delete' does not go with a cursor";
    let sql = "select sluice.set_policy('copy', 'missing', 'delete')";
    let error = wait(wait(shop.db.connect()).batch_execute(sql)).unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains(refused), "{error:?}");
}

#[test]
fn rewinds_and_definitions_know_the_source() {
    let shop = define(json!({"cursor": "at"}), "");
    run(&shop, &["run", "copy", "--batch-rows", "6"]);
    let batch = wait(shop.db.value("select min(batch_id) from sluice.batches"));
    let preview = wait(shop.db.value(&format!(
        "select sum(records) from sluice.preview_rewind('copy', to_batch => {batch})"
    )));
    assert_eq!(preview, "14");
    shop.execute(&format!("select sluice.rewind('copy', to_batch => {batch})"));
    assert_eq!(run(&shop, &["run", "copy"]).count("extracted"), 14);
    let text = wait(shop.db.value("select sluice.definition('copy')"));
    assert!(
        text.contains("\"table\" => 'shop.t'") && text.contains("sluice.connection("),
        "{text}"
    );
    let before = wait(shop.db.value("select source from sluice.pipelines"));
    shop.execute(&text);
    assert_eq!(wait(shop.db.value("select source from sluice.pipelines")), before);
    for (call, hint) in
        [("object => 'a'", "has no files or objects"), ("pages => 1", "has no pages")]
    {
        let sql = format!("select sluice.skip('copy', {call}, reason => 'x')");
        let error = wait(wait(shop.db.connect()).batch_execute(&sql)).unwrap_err();
        let error = error.as_db_error().unwrap();
        assert!(
            error.message().contains(hint) && error.hint().unwrap().contains("query of the source"),
            "{error:?}"
        );
    }
}

#[test]
fn paths_and_formats_are_not_for_databases() {
    let shop = define(json!({}), "");
    for args in [["--path", "x.csv"], ["--format", "csv"]] {
        let done = Sluice::on(&shop.db).args(["run", "copy"]).args(args).run().exits(2);
        assert!(done.stderr.contains("a database has no path and no format"), "{done:?}");
    }
}
