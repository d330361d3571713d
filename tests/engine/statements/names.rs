//! Columns that are called as the engine's statements call their rows.

use crate::support::{Sluice, TestDb};

/// Every letter, words of the engine's own, and more columns than a function takes arguments for.
fn names() -> Vec<String> {
    let words = "doc meta outcome deleted_row old_hash key key_hash hash place value content ordinal line found written noted \
                 result body picked target batch operation state given";
    let numbered = (1..=60).map(|n| format!("c{n}"));
    let letters = ('a'..='z').map(String::from);
    let words = words.split_whitespace().map(str::to_owned);
    letters.chain(words).chain(numbered).collect()
}

fn list(form: impl Fn(&str) -> String) -> String {
    let names = names();
    let all: Vec<String> = names.iter().map(|name| form(&format!("\"{name}\""))).collect();
    all.join(", ")
}

#[tokio::test]
async fn no_column_hides_the_row_that_a_statement_means() {
    let (db, folder) = (TestDb::new().await, tempfile::tempdir().unwrap());
    let file = folder.path().join("wide.ndjson");
    let define = |version: u32, more: &str| {
        format!(
            "create function shop.wide_v{version}(r shop.wide_in) returns table (id bigint, kind text, {}) language sql stable
             as $$ select r.id::bigint, r.kind::regclass::text, {} $$;
             select sluice.define_pipeline(name => 'wide', version => {version}, transform => 'shop.wide_v{version}', target => 'shop.wide',
               key => '{{id}}', source => sluice.file_source(path => '{}', on_replace => 'reload'), max_bad_ratio => 1,
               missing => 'delete', max_delete_ratio => 1, retain_raw => '1 day',
               deliver => sluice.http_delivery(url => 'https://crm.example/{{id}}'){more})",
            list(|name| format!("{name} integer")),
            list(|name| format!("r.{name}::integer")),
            file.display(),
        )
    };
    db.execute(&format!(
        "create schema shop;
         create table shop.wide (id bigint primary key, kind text, {});
         create type shop.wide_in as (id text, kind text, {});
         {}; {}",
        list(|name| format!("{name} integer")),
        list(|name| format!("{name} text")),
        define(1, ""),
        define(2, ", activate => false"),
    ))
    .await;
    let record = |id: u32, kind: &str| {
        let others: Vec<String> = names().iter().map(|name| format!("\"{name}\": {id}")).collect();
        format!("{{\"id\": {id}, \"kind\": \"{kind}\", {}}}\n", others.join(", "))
    };
    let write = |records: String| std::fs::write(&file, records).unwrap();
    let sluice = |args: &[&str]| Sluice::on(&db).args(args.iter().copied()).run();

    let (first, second) = (record(1, "pg_class"), record(2, "pg_class"));
    write(format!("{first}{second}"));
    let done = sluice(&["run", "wide"]).exits(0);
    assert_eq!(done.summary().count("inserted"), 2);
    let compared = sluice(&["compare", "wide", "1", "2", "--samples", "2"]).exits(0);
    assert!(compared.stdout.contains("unchanged"), "{}", compared.stdout);
    sluice(&["why", "wide", "1"]).exits(0);

    write(format!("{first}{second}{}", record(3, "nowhere")));
    let done = sluice(&["run", "wide"]).exits(0);
    assert_eq!(done.summary().count("quarantined"), 1);

    write(format!("{first}{}", record(4, "pg_class")));
    let dry = sluice(&["run", "wide", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains("would delete id=2: kind \"pg_class\", a 2"), "{}", dry.stdout);
    sluice(&["run", "wide"]).exits(0);
    let width = names().len() + 4; // the key, its kind, and two of the engine's
    assert_eq!(
        db.rows("select deleted_row->>'id', (select count(*) from jsonb_object_keys(deleted_row)) from sluice.outbox where operation = 'delete'")
            .await,
        [format!("2|{width}")]
    );
    db.rows("select sluice.start_delivery('wide', sender => 'test')").await;
    assert_eq!(
        db.rows("select key->>'id', operation, body::jsonb->>'id', body::jsonb->>'t' from sluice.claim_deliveries('wide', epoch => 1) order by 1")
            .await,
        ["1|upsert|1|1", "2|delete|2|2", "4|upsert|4|4"]
    );
    sluice(&["verify", "wide", "--deep"]).exits(0);
}
