//! What somebody who looks after pipelines types from day to day.

use crate::support::{Sluice, TestDb};
use serde_json::{Value, json};
use std::fs;

struct Shop {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Shop {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("drop")).unwrap();
        db.execute(
            "create schema shop;
             create table shop.items (id bigint primary key, name text not null);
             create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
             language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
             select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
               key => '{id}', source => sluice.file_source(path => 'drop'), max_bad_ratio => 0.5)",
        )
        .await;
        Shop { db, folder }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("drop").join(name), text).unwrap();
    }

    /// Stdout of a command, which has to end so.
    #[track_caller]
    fn says(&self, args: &[&str], code: i32) -> String {
        let done =
            Sluice::on(&self.db).args(args).current_dir(self.folder.path()).run().exits(code);
        done.stdout
    }

    #[track_caller]
    fn json(&self, args: &[&str], code: i32) -> Value {
        let args = [args, &["--json"]].concat();
        serde_json::from_str(&self.says(&args, code)).unwrap()
    }
}

#[tokio::test]
async fn status_has_words_for_runs_that_fail_and_for_files_that_were_begun() {
    let shop = Shop::new().await;
    shop.write("1.csv", "id,name\n1,a\n2,b\n");
    shop.says(&["run", "items"], 0);
    assert!(!shop.says(&["status"], 0).contains("failing"));
    shop.write("2.csv", "id,id\n1,2\n");
    for _ in 0..2 {
        shop.says(&["run", "items"], 1);
    }
    let said = shop.says(&["status"], 0);
    assert!(
        said.contains("\nitems has been failing since 20")
            && said.contains(", 2 runs in a row; the last one: file `drop/2.csv`: the header"),
        "{said}"
    );
    // The numbers are those of the run that is named.
    assert!(said.contains("\nitems     failed        1    3  "), "{said}");
    let row = &shop.json(&["status"], 0)[0];
    assert_eq!(
        (&row["run_batches"], &row["failed_runs"], &row["extracted"]),
        (&json!(0), &json!(2), &json!(0))
    );
    fs::remove_file(shop.folder.path().join("drop/2.csv")).unwrap();
    shop.says(&["run", "items"], 0);
    assert!(!shop.says(&["status"], 0).contains("failing"));

    // A run that could not even begin counts as one that failed.
    shop.db.execute("alter table shop.items rename to articles").await;
    shop.says(&["run", "items"], 2);
    let said = shop.says(&["status"], 0);
    assert!(said.contains("1 run in a row; the last one: pipeline items: target"), "{said}");
    shop.db.execute("alter table shop.articles rename to items; create or replace function shop.items_v1(doc jsonb) returns table (id bigint, name text) language sql stable as $$ select 1::bigint, 'x' $$").await;
    shop.says(&["run", "items"], 2);
    let said = shop.says(&["status"], 0);
    assert!(said.contains("2 runs in a row; the last one: pipeline items: transform"), "{said}");
}

#[tokio::test]
async fn status_names_a_file_of_which_a_part_was_read() {
    let shop = Shop::new().await;
    let records: String = (0..50).map(|id| format!("{id},a\n")).collect();
    shop.write("1.csv", &format!("id,name\n{records}"));
    shop.says(&["run", "items", "--batch-rows", "10", "--max-batches", "2"], 0);
    let said = shop.says(&["status"], 0);
    assert!(said.contains("items has read drop/1.csv to record 20, and not to its end"), "{said}");
    shop.says(&["run", "items"], 0);
    assert!(!shop.says(&["status"], 0).contains("not to its end"));
}

#[tokio::test]
async fn verify_says_apart_what_it_could_not_check() {
    let shop = Shop::new().await;
    shop.write("1.csv", "id,name\n1,a\n2,b\n");
    shop.says(&["run", "items"], 0);
    shop.says(&["verify", "--deep"], 0);
    shop.db.execute("grant delete on shop.items to public").await;
    let said = shop.says(&["verify", "--deep"], 6);
    assert!(
        said.contains(
            "\nnot made  items  row count           not checked: public may delete, too\n"
        ) && said.ends_with("\nok: 8 checks; not made, or not for every row: 1\n"),
        "{said}"
    );
    let report = shop.json(&["verify", "--deep"], 6);
    assert_eq!((&report["ok"], &report["not_made"]), (&json!(true), &json!(1)));
    shop.db.execute("update shop.items set name = 'x' where id = 1").await;
    shop.says(&["verify", "--deep"], 1);
}

#[tokio::test]
async fn what_was_done_by_hand_is_shown_accepted_and_proven() {
    let shop = Shop::new().await;
    shop.write("1.csv", "id,name\n1,a\n2,b\n3,c\n");
    shop.says(&["run", "items"], 0);
    shop.db
        .execute(
            "delete from shop.items where id = 1; update shop.items set name = 'x' where id = 2",
        )
        .await;
    let said = shop.says(&["reconcile", "items"], 0);
    assert!(
        said.contains("deleted     1  rows that batches inserted are gone\n")
            && said.contains("edited      1  {\"id\": 2}\n")
            && said.contains(
                "next:  what is right: sluice reconcile items --accept WHAT --reason WHY"
            )
            && said.contains("an edited row comes back only without its hash"),
        "{said}"
    );
    shop.says(&["reconcile", "items", "--accept", "deleted"], 2);
    let found = shop
        .json(&["reconcile", "items", "--accept", "deleted,edited", "--reason", "request 17"], 0);
    assert_eq!(found[0]["accepted"], true);
    shop.says(&["verify", "--deep"], 0);
    assert!(!shop.says(&["reconcile", "items"], 0).contains("next:"));
}

#[tokio::test]
async fn a_header_that_lost_a_column_is_a_note_and_drift_lists_it() {
    let shop = Shop::new().await;
    shop.write("1.csv", "id,name,Région\n1,a,x\n");
    shop.says(&["run", "items"], 0);
    shop.write("2.csv", "id,name,Region\n2,b,y\n");
    let done =
        Sluice::on(&shop.db).args(["run", "items"]).current_dir(shop.folder.path()).run().exits(0);
    assert_eq!(
        done.stderr,
        "note: drop/2.csv has no column Région, which drop/1.csv had; new is Region\n"
    );
    let said = shop.says(&["drift", "items"], 0);
    assert!(
        said.contains("\nRégion  gone   no    ") && said.contains("\nRegion  new    no    "),
        "{said}"
    );
    let fields = shop.json(&["drift", "items", "--all"], 0);
    assert_eq!(fields.as_array().unwrap().len(), 4, "{fields}");
    assert_eq!(fields[0]["field"], "Région");
}

#[tokio::test]
async fn a_readme_and_a_marker_in_the_drop_folder_block_nothing() {
    let shop = Shop::new().await;
    for name in ["README.md", "README", "_SUCCESS", "1.csv.sha256", "notes.md"] {
        shop.write(name, "# what stands here\n");
    }
    shop.write("1.csv", "id,name\n1,a\n");
    let done =
        Sluice::on(&shop.db).args(["run", "items"]).current_dir(shop.folder.path()).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 1);
    assert!(
        done.stderr.starts_with("note: passed over, hidden, or no data by their names (`_…`, README, `.md`, checksums): 5, such as "),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn why_takes_the_value_of_the_key_alone() {
    let shop = Shop::new().await;
    shop.write("1.csv", "id,name\n42,a\n");
    shop.says(&["run", "items"], 0);
    let said = shop.says(&["why", "items", "42"], 0);
    assert!(said.starts_with("key        {\"id\": 42}\nrow        in shop.items\n"), "{said}");
    let facts = shop.json(&["why", "items", "42"], 0);
    assert_eq!(facts["key"], json!({"id": 42}));
    assert_eq!(facts["source"], "drop/1.csv:2");
}

#[tokio::test]
async fn doctor_names_what_this_machine_does_not_give() {
    let shop = Shop::new().await;
    let doctor = |given: &str| {
        let done = Sluice::on(&shop.db)
            .args(["doctor"])
            .env("SLUICE_ALLOW_FILES", given)
            .current_dir(shop.folder.path())
            .run();
        (done.code, done.stdout)
    };
    let (code, said) = doctor("*");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("source of items"), "{said}");
    let (code, said) = doctor("/nowhere");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("\"drop\" which this host does not give") && said.contains("next:  "),
        "{said}"
    );
    fs::remove_dir(shop.folder.path().join("drop")).unwrap();
    let (code, said) = doctor("*");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("there is no file `drop`"), "{said}");
}

#[tokio::test]
async fn policies_that_belong_together_are_set_in_one_call_in_any_order() {
    let shop = Shop::new().await;
    shop.db.execute("alter table shop.items add gone timestamptz").await;
    for args in [
        ["missing=mark", "mark_column=gone"],
        ["mark_column=none", "missing=keep"],
        ["mark_column=gone", "missing=mark"],
    ] {
        shop.says(&[&["set", "items"], &args[..]].concat(), 0);
    }
    assert_eq!(
        shop.db.value("select missing, mark_column from sluice.pipelines").await,
        "mark|gone"
    );
}
