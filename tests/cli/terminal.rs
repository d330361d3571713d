//! Payloads, names and messages are other people's: a terminal shows them and obeys none of them.

use crate::support::{Sluice, TestDb};

/// Escape, bell, an introducer of C1, DEL, and what turns a line around.
const OBEYED: &str = "\u{1b}]0;pwned\u{7}\u{9b}2J\u{7f}\u{202e}";

async fn poisoned() -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create table items (id bigint primary key, name text);
         create function items_v1(doc jsonb) returns table (id bigint, name text, sluice_reject text)
         language sql stable as $$ select (doc->>'id')::bigint, doc->>'name', nullif(doc->>'reject', '') $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items',
           key => '{{id}}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1);
         create function refuse() returns trigger language plpgsql as
           $$ begin raise exception using errcode = '55000', message = 'no {OBEYED}', hint = 'why {OBEYED}'; end $$;",
    ))
    .await;
    let record = format!(
        "{{\"id\": 1, \"name\": \"{OBEYED}\", \"reject\": \"{OBEYED}\"}}\n{{\"id\": 2, \"name\": \"{OBEYED}\"}}\n"
    );
    // In a document, controls of C0 stand as escapes.
    let record = record.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    Sluice::on(&db).args(["run", "items"]).run_with_input(record.as_bytes()).exits(0);
    db
}

fn is_obeyed(c: char) -> bool {
    c.is_control() && c != '\n' || c == '\u{202e}'
}

#[tokio::test]
async fn nothing_that_is_printed_is_obeyed_by_a_terminal() {
    let db = poisoned().await;
    let commands = [
        &["quarantine", "items"][..],
        &["quarantine", "items", "--by-error"],
        &["replay", "items", "--dry-run"],
        &["rewind", "items", "--to-start", "--dry-run"],
        &["why", "items", r#"{"id": 1}"#],
        &["status"],
        &["verify", "--deep"],
        &["rewind", "items", "--object", OBEYED],
        &["run", OBEYED],
    ];
    for args in commands {
        let done = Sluice::on(&db).args(args).run();
        let said = done.stdout + &done.stderr;
        assert!(!said.contains(is_obeyed), "{args:?}: {said:?}");
    }
    let said = Sluice::on(&db).args(["quarantine", "items"]).run().exits(0).stdout;
    assert!(said.contains(r"\u001b]0;pwned\u0007\u009b2J\u007f\u202e"), "{said}");

    db.execute(
        "create trigger refuse before insert on items for each row execute function refuse()",
    )
    .await;
    let record = b"{\"id\": 3}\n";
    let done = Sluice::on(&db).args(["run", "items", "--retries", "0"]).run_with_input(record);
    assert!(done.stderr.contains(r"no \u001b]0;pwned"), "{}", done.stderr);
    assert!(!done.stderr.contains(is_obeyed), "{:?}", done.stderr);
}

#[tokio::test]
async fn json_keeps_the_characters_themselves() {
    let db = poisoned().await;
    let said = Sluice::on(&db).args(["quarantine", "items", "--json"]).run().exits(0);
    let rows: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(rows[0]["message"], OBEYED);
}

#[tokio::test]
async fn a_client_that_died_ends_its_query() {
    let db = poisoned().await;
    let holder = db.connect().await;
    holder.batch_execute("begin; lock table items in access exclusive mode").await.unwrap();
    let mut child = Sluice::on(&db).args(["verify"]).spawn();
    let verifying = "select exists (select from pg_stat_activity
      where datname = current_database() and query like '%sluice.verify(%' and wait_event_type = 'Lock')";
    db.wait_until(verifying).await;
    child.kill().unwrap();
    child.wait().unwrap();
    db.wait_until(&format!("select not ({})", &verifying[7..])).await;
}

/// What a terminal of 60 columns shows of a command; nothing where the system cannot make one.
fn on_a_terminal(db: &TestDb, args: &str) -> Option<String> {
    let command = format!("stty cols 60 rows 24; {} {args}", env!("CARGO_BIN_EXE_sluice"));
    let output = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("DATABASE_URL", &db.url)
        .env("TERM", "xterm")
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_terminal_shows_tables_that_fit_and_no_bar_where_nothing_is_counted() {
    let db = poisoned().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notice.sql");
    std::fs::write(&file, "do $$ begin raise notice 'for your information'; end $$;").unwrap();
    let Some(said) = on_a_terminal(&db, &format!("apply {}", file.display())) else {
        return;
    };
    assert_eq!(said.lines().next(), Some("notice: for your information"), "{said:?}");
    assert!(!said.contains('\u{2591}') && !said.contains("0/0"), "{said:?}");
    let width = |table: &str| table.lines().map(|line| line.chars().count()).max();
    let table = on_a_terminal(&db, "quarantine items").unwrap();
    assert!(table.contains('…') && width(&table) <= Some(60), "{table}");
    let whole = on_a_terminal(&db, "quarantine items --full").unwrap();
    assert!(!whole.contains('…') && width(&whole) > Some(60), "{whole}");
}
