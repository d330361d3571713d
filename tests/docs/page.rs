//! A page of the documentation, taken apart and played.

use crate::support::web::{Answer, Request};
use crate::support::{Api, Store, TestDb, Web, server};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a block asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    File {
        path: String,
        text: String,
    },
    Object {
        key: String,
        text: String,
    },
    /// A file of these rows.
    Parquet {
        path: String,
        text: String,
    },
    Sql {
        text: String,
        fails: Option<String>,
    },
    Console {
        text: String,
    },
}

/// A fenced block that does something.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) line: usize,
    pub(super) step: Step,
}

pub(super) struct Page {
    path: &'static str,
    blocks: Vec<Block>,
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The text of a file of the repository.
pub(super) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages, by path, sorted.
pub(super) fn all() -> Vec<String> {
    let mut pages: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    pages.push("README.md".to_owned());
    pages.sort();
    pages
}

/// The blocks that do something, in order.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let mut body = String::new();
        for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
            body.push_str(line);
            body.push('\n');
        }
        let words: Vec<&str> = info.split(' ').collect();
        let value = |name| words.iter().find_map(|word| word.strip_prefix(name));
        let step = if let Some(path) = value("file=") {
            Step::File { path: path.to_owned(), text: body }
        } else if let Some(key) = value("object=") {
            Step::Object { key: key.to_owned(), text: body }
        } else if let Some(path) = value("parquet=") {
            Step::Parquet { path: path.to_owned(), text: body }
        } else if words.starts_with(&["sql", "run"]) {
            Step::Sql { text: body, fails: value("fails=").map(str::to_owned) }
        } else if words[0] == "console" {
            Step::Console { text: body }
        } else {
            continue;
        };
        blocks.push(Block { line: number + 1, step });
    }
    blocks
}

/// Whether `shown` is what `real` says, see the module.
pub(super) fn is_shown(shown: &str, real: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| without_seconds(line.trim_end()))
            .filter(|line| !line.is_empty())
            .collect()
    };
    let (shown, real) = (lines(shown), lines(real));
    shown.is_empty() || are_lines_shown(&shown, &real)
}

fn are_lines_shown(shown: &[String], real: &[String]) -> bool {
    match (shown, real) {
        ([], real) => real.is_empty(),
        ([first, rest @ ..], real) if first.trim() == "..." => {
            (0..=real.len()).any(|skipped| are_lines_shown(rest, &real[skipped..]))
        }
        ([first, rest @ ..], [line, others @ ..]) => {
            is_line_shown(first, line) && are_lines_shown(rest, others)
        }
        (_, []) => false,
    }
}

fn is_line_shown(shown: &str, real: &str) -> bool {
    let Some((start, rest)) = shown.split_once("...") else {
        return shown == real;
    };
    real.strip_prefix(start).is_some_and(|real| {
        real.char_indices()
            .map(|(at, _)| at)
            .chain([real.len()])
            .any(|at| is_line_shown(rest, &real[at..]))
    })
}

fn without_seconds(line: &str) -> String {
    match line.split_once("seconds=") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            format!("{before}seconds=?{after}")
        }
        None => line.to_owned(),
    }
}

impl Page {
    pub(super) fn read(path: &'static str) -> Self {
        Page { path, blocks: blocks(&text(path)) }
    }

    /// Does what the page says, in a folder and a database of its own.
    pub(super) async fn play(self) {
        let db = TestDb::new().await;
        let url = db.url.clone();
        self.play_on(&db, &url, async || {}).await;
    }

    /// The same where commands of `sluice` run by `url`, as a login that has few rights, and SQL is the
    /// owner's; `define` is called whenever the owner has defined something.
    pub(super) async fn play_on(self, db: &TestDb, url: &str, define: impl AsyncFn()) {
        let uses_psql =
            |block: &Block| matches!(&block.step, Step::Console { text } if text.contains("psql "));
        if self.blocks.iter().any(uses_psql) && server::psql().is_none() {
            return;
        }
        let session = db.connect().await;
        let folder = tempfile::tempdir().unwrap();
        let api = shop();
        let store = Store::private();
        for block in &self.blocks {
            let place = format!("{}:{}", self.path, block.line);
            match &block.step {
                Step::File { path, text } => {
                    let path = folder.path().join(path);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, text).unwrap();
                }
                Step::Object { key, text } => store.put(key, text),
                Step::Parquet { path, text } => {
                    fs::write(folder.path().join(path), parquet(text)).unwrap();
                }
                Step::Sql { text, fails } => {
                    let sqlstate = session
                        .batch_execute(&text.replace(SHOP, &api.url))
                        .await
                        .map_err(pgsluice::error::Error::from);
                    match (sqlstate, fails) {
                        (Ok(()), None) => {}
                        (Ok(()), Some(code)) => panic!("{place}: did not fail with {code}"),
                        (Err(error), Some(code)) if error.sqlstate() == Some(code) => {}
                        (Err(error), _) => panic!("{place}: {error}"),
                    }
                    define().await;
                }
                Step::Console { text } => {
                    console(text, db, url, &store, folder.path(), &api, &place);
                }
            }
        }
    }
}

/// The pages show what the binary of its default features does.
#[cfg(not(feature = "parquet"))]
fn parquet(_: &str) -> Vec<u8> {
    panic!("this binary is built without Parquet")
}

/// Rows as Parquet: whole numbers, decimals with two digits, and texts.
#[cfg(feature = "parquet")]
fn parquet(rows: &str) -> Vec<u8> {
    use crate::sources::parquet::support::file;
    use arrow_array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
    use serde_json::{Map, Value};
    use std::sync::Arc;
    let rows: Vec<Map<String, Value>> =
        rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let columns = rows[0].iter().map(|(name, value)| {
        let values = rows.iter().map(|row| &row[name]);
        let array: ArrayRef = match value {
            Value::String(_) => Arc::new(StringArray::from_iter(values.map(Value::as_str))),
            Value::Number(number) if number.is_i64() => {
                Arc::new(Int64Array::from_iter(values.map(Value::as_i64)))
            }
            _ => {
                let cents = values.map(|value| Some((value.as_f64()? * 100.0).round() as i128));
                let decimals = Decimal128Array::from_iter(cents);
                Arc::new(decimals.with_precision_and_scale(12, 2).unwrap())
            }
        };
        (name.as_str(), array)
    });
    file(columns.collect(), 100, ::parquet::basic::Compression::SNAPPY)
}

/// The API of the pages; in truth a server of the tests.
const SHOP: &str = "https://shop.example";

fn shop() -> Web {
    let api = Api { time: "updated_at", ..Api::orders(250, 100) };
    let records = api.records.iter().map(|record| record.replace("\"at\"", "\"updated_at\""));
    let api = Api { records: records.collect(), ..api };
    Web::serve(move |request| match request.path.starts_with("/crm/") {
        true => crm(request),
        false => api.answer(request),
    })
}

/// Takes deliveries.
fn crm(request: &Request) -> Answer {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
    match body["state"].as_str() {
        Some("lost") => Answer::status(422, r#"{"error": "state lost is not known"}"#),
        _ => Answer::json("{}"),
    }
}

/// Runs the commands of a block, each with the output shown below it.
fn console(
    text: &str,
    db: &TestDb,
    url: &str,
    store: &Store,
    folder: &Path,
    api: &Web,
    place: &str,
) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let command = line
            .strip_prefix("$ ")
            .unwrap_or_else(|| panic!("{place}: no command before {line:?}"));
        let code = match command.rsplit_once("# exit ") {
            Some((_, code)) => code.trim().parse().unwrap(),
            None => 0,
        };
        let mut shown = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            shown.push_str(line);
            shown.push('\n');
        }
        let (exit, real) = run(&command.replace(SHOP, &api.url), db, url, store, folder);
        let real = real.replace(&api.url, SHOP);
        assert_eq!(exit, Some(code), "{place}: $ {command}\n{real}");
        assert!(is_shown(&shown, &real), "{place}: $ {command}\nprints\n{real}\nand not\n{shown}");
    }
}

/// The owner migrates; all else is done by whoever loads. Nothing where they are one: behind a function a shell
/// knows the process of `sluice ... &` no more.
const AS_SOMEBODY: &str = r#"sluice() {
  case "$1" in migrate) command sluice "$@";; *) DATABASE_URL="$LOADER_URL" command sluice "$@";; esac
}; "#;

/// Exit code and output of a command, as a user of `db` and `store` in `folder` sees it; `sluice` itself
/// connects by `url`.
fn run(
    command: &str,
    db: &TestDb,
    url: &str,
    store: &Store,
    folder: &Path,
) -> (Option<i32>, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_sluice"));
    let psql = server::psql().unwrap_or_default();
    // No more than a login has: what a page needs besides, it has to say.
    let path = format!(
        "{}:{}:/usr/local/bin:/usr/bin:/bin",
        binary.parent().unwrap().display(),
        psql.parent().unwrap_or(binary).display()
    );
    let as_somebody = if url == db.url { "" } else { AS_SOMEBODY };
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {as_somebody}{command}")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8")
        .env("SLUICE_ALLOW_ENV", "*")
        .env("SLUICE_ALLOW_FILES", "*")
        .env("SLUICE_ALLOW_HOSTS", "*")
        .env("SLUICE_ALLOW_PROGRAMS", "*")
        .env("DATABASE_URL", &db.url)
        .env("LOADER_URL", url)
        .env("AWS_ENDPOINT_URL", store.endpoint())
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let real = String::from_utf8(output.stdout).unwrap();
    if std::env::var_os("SLUICE_DOCS_SHOW").is_some() {
        eprintln!("$ {command}\n{real}");
    }
    (output.status.code(), real)
}
