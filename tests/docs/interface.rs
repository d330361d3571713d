//! Options, SQLSTATEs, exit codes, settings and links that the pages name, held against the code.

use super::page::{all, root, text};
use crate::support::{Sluice, TestDb};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Options in the pages that belong to other programs.
const OF_OTHERS: &[&str] = &[
    "--build",
    "--discover",
    "--release",
    "--rm",
    "--since",
    "--state",
    "--locked",
    "--bin",
    "--dbname",
    "--exit-on-error",
    "--features",
    "--no-default-features",
    "--file",
    "--jobs",
    "--no-toast-compression",
    "--no-unlogged-table-data",
    "--roles-only",
    "--root",
];

/// The options in a text: `--` and a lower-case word.
fn options(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'))
        .filter(|word| word.len() > 3 && word.starts_with("--") && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}

/// The `--help` of the program and of every command.
fn help() -> String {
    let help = |args: &[&str]| {
        let args: Vec<&str> = args.iter().chain(&["--help"]).copied().collect();
        Sluice::bare().args(args).run().exits(0).stdout
    };
    let top = help(&[]);
    let commands = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help");
    let mut all = top.clone();
    for command in commands {
        all.push_str(&help(&[command]));
    }
    all
}

#[test]
fn every_option_in_the_pages_is_in_the_help() {
    let known = options(&help());
    for page in all() {
        for option in options(&text(&page)) {
            assert!(
                known.contains(&option) || OF_OTHERS.contains(&option.as_str()),
                "{page}: there is no {option}"
            );
        }
    }
}

#[test]
fn every_option_of_run_is_told() {
    let known = Sluice::bare().args(["run", "--help"]).run().exits(0).stdout;
    let told = options(&(text("README.md") + &text("docs/running.md")));
    for option in options(&known) {
        assert!(told.contains(&option), "neither README.md nor docs/running.md tells of {option}");
    }
}

#[test]
fn every_sqlstate_of_the_engine_is_in_the_runbook() {
    let runbook = text("docs/runbook.md");
    let mut raised = BTreeSet::new();
    for room in fs::read_dir(root().join("sql/engine")).unwrap() {
        let Ok(files) = fs::read_dir(room.unwrap().path()) else {
            continue;
        };
        for file in files {
            let sql = fs::read_to_string(file.unwrap().path()).unwrap();
            raised.extend(
                sql.split("errcode = '")
                    .skip(1)
                    .map(|rest| rest[..5].to_owned())
                    .filter(|code| code.starts_with("SL")),
            );
        }
    }
    assert!(raised.len() >= 8, "{raised:?}");
    // Raised and caught in one function; nobody sees it. (SL000 would be a whole class.)
    raised.remove("SL999");
    for code in raised {
        assert!(runbook.contains(&format!("| `{code}` ")), "docs/runbook.md has no row for {code}");
    }
}

#[test]
fn every_exit_code_and_counter_is_told() {
    let told = text("docs/running.md");
    for code in ["0", "1", "2", "3", "4", "5", "6", "75", "130, 143"] {
        assert!(told.contains(&format!("\n| {code} | ")), "{code}");
    }
    let summary = pgsluice::report::Report {
        pipeline: String::new(),
        counters: pgsluice::batch::Counters::default(),
        targets: Vec::new(),
        batches: 0,
        seconds: 0.0,
        version: Some(1),
        run_id: Some(1),
        error: None,
        remarks: Vec::new(),
        waiting: Vec::new(),
        dry_run: true,
        quarantined: Vec::new(),
    }
    .summary();
    for (name, _) in summary.split(' ').filter_map(|word| word.split_once('=')) {
        assert!(told.contains(&format!("| `{name}` ")), "{name}");
    }
}

#[tokio::test]
async fn every_setting_of_a_source_is_told() {
    let db = TestDb::new().await;
    // Those that programs share with files are told there.
    let told = text("docs/sources.md") + &text("docs/programs.md");
    for source in ["file_source", "object_source", "program_source"] {
        let names = db
            .rows(&format!(
                "select unnest(proargnames) from pg_proc where oid = 'sluice.{source}'::regproc"
            ))
            .await;
        assert!(names.len() > 10);
        for name in names {
            assert!(told.contains(&format!("| `{name}` ")), "{source}: {name}");
        }
    }
}

#[tokio::test]
async fn every_setting_of_an_http_source_is_told() {
    let db = TestDb::new().await;
    let told = text("docs/http.md");
    for function in [
        "http_source",
        "page_number_paging",
        "offset_paging",
        "cursor_paging",
        "next_link_paging",
        "link_header_paging",
        "bearer_auth",
        "basic_auth",
        "header_auth",
        "param_auth",
        "oauth2_auth",
        "since",
    ] {
        assert!(told.contains(function), "{function}");
        let names = format!(
            "select unnest(proargnames) from pg_proc where oid = 'sluice.{function}'::regproc"
        );
        for name in db.rows(&names).await {
            let is_told =
                [format!("`{name}`"), format!("{name} =>"), format!("{name},"), format!("{name})")];
            assert!(is_told.iter().any(|form| told.contains(form)), "{function}: {name}");
        }
    }
}

#[tokio::test]
async fn every_setting_of_a_delivery_is_told() {
    let db = TestDb::new().await;
    let told = text("docs/delivery.md");
    let names =
        "select unnest(proargnames) from pg_proc where oid = 'sluice.http_delivery'::regproc";
    for name in db.rows(names).await {
        assert!(told.contains(&format!("| `{name}` ")), "{name}");
    }
}

/// The anchors of a page: one a heading, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            words.chars().filter(is_kept).collect::<String>()
        })
        .map(|words| words.replace(' ', "-"))
        .collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut pages = all();
    pages.extend(["CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned));
    for page in pages {
        let folder = root().join(Path::new(&page).parent().unwrap());
        for link in text(&page).split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") {
                continue;
            }
            let target = match target {
                "" => root().join(&page),
                _ => folder.join(target),
            };
            assert!(target.exists(), "{page}: {link} does not exist");
            assert!(
                anchor.is_empty()
                    || anchors(&fs::read_to_string(target).unwrap()).contains(&anchor.to_owned()),
                "{page}: {link} leads to no heading"
            );
        }
    }
}
