//! `sluice apply`: all files of a call are one transaction.

mod script;

use super::args;
use super::call::rows;
use super::context::Context;
use crate::db::Session;
use crate::error::{Error, Kind, Result};
use script::{Statement, statements};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::ErrorPosition;

pub(super) async fn apply(context: &Context, args: &args::Apply) -> Result<u8> {
    let files = sql_files(&args.paths)?.into_iter().map(File::read).collect::<Result<Vec<_>>>()?;
    let session = context.session().await?;
    session.batch_execute("begin").await?;
    let mut applied = Vec::new();
    for file in &files {
        match file.run(&session).await {
            Ok(said) => applied.push((file, said)),
            Err(error) => {
                // The connection may be gone; then so is the transaction.
                let _ = session.batch_execute("rollback").await;
                return Err(explained(&session, error).await.detail(match files.len() {
                    1 => "nothing of this file was applied".to_owned(),
                    count => format!("nothing of these {count} files was applied"),
                }));
            }
        }
    }
    session.batch_execute(if args.plan { "rollback" } else { "commit" }).await?;
    report(context.json, args.plan, &applied);
    Ok(0)
}

fn report(as_json: bool, is_plan: bool, applied: &[(&File, Vec<String>)]) {
    if as_json {
        let files = applied.iter().map(|(file, said)| json!({"file": file.path, "said": said}));
        println!("{}", Value::Array(files.collect()));
        return;
    }
    for (file, said) in applied {
        for line in said {
            println!("{}: {line}", file.path.display());
        }
        if said.is_empty() {
            let done = match statements(&file.sql).is_empty() {
                true => "has no statement",
                false => "applied",
            };
            println!("{}: {done}", file.path.display());
        }
    }
    if is_plan {
        println!("planned only: nothing was changed");
    }
}

/// Rewords a call of the engine that it does not know, or a list that is not one. Goes by what does not
/// depend on the server's language.
async fn explained(session: &Session, error: Error) -> Error {
    match error.routine() {
        Some("array_in") => return error.next("a list stands in braces: '{one,two}'"),
        Some("json_ereport_error" | "json_errsave_error") => {
            return error.next(
                "settings are made by calls: source => sluice.file_source(path => 'drop'), connection => sluice.connection(env => 'SRC_DB')",
            );
        }
        _ => {}
    }
    let Some((_, said)) = error.message().split_once("42883 ") else {
        return error;
    };
    let sql = "select what, next from sluice.explain_call(message => $1) where what is not null";
    let Ok(found) = rows(session, sql, &[&said]).await else {
        return error; // As the server has it.
    };
    let Some(call) = found.first() else {
        return error;
    };
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let said = format!("42883 {said}");
    error.reworded(|words| words.replace(&said, &text("what"))).next(text("next"))
}

/// By this a file makes a type that may be there.
const LEFT_AS_IT_IS: &str = "exception when duplicate_object";

struct File {
    path: PathBuf,
    sql: String,
}

impl File {
    /// Reads a file and refuses what would break its transaction, before anything is run.
    fn read(path: PathBuf) -> Result<File> {
        let sql = fs::read_to_string(&path).map_err(|error| {
            Error::usage(format!("{} cannot be read", path.display())).caused_by(error)
        })?;
        let file = File { path, sql };
        for statement in statements(&file.sql) {
            if let Some(refusal) = refusal(&statement) {
                return Err(file.at(statement.start, false, refusal).detail("nothing was applied"));
            }
        }
        Ok(file)
    }

    /// Runs the statements; returns the texts they returned.
    async fn run(&self, session: &Session) -> Result<Vec<String>> {
        let mut said = Vec::new();
        for statement in statements(&self.sql) {
            let answer = session.simple_query(statement.text).await;
            let messages = answer.map_err(|error| self.failed(&statement, error))?;
            said.extend(messages.iter().filter_map(first_text));
        }
        Ok(said)
    }

    /// A server's error, with the place it points to, else that of its statement.
    fn failed(&self, statement: &Statement<'_>, error: tokio_postgres::Error) -> Error {
        let pointed = match error.as_db_error().and_then(|error| error.position()) {
            Some(ErrorPosition::Original(position)) => statement
                .text
                .char_indices()
                .nth((*position as usize).saturating_sub(1))
                .map(|(at, _)| statement.start + at),
            _ => None,
        };
        let code = error.code().map_or("", |code| code.code()).to_owned();
        let mut error = Error::from(error);
        if error.kind() == Kind::Failed {
            error = error.with_kind(Kind::Usage);
        }
        // A field of a type that is not the one of this file.
        let words = statement.words();
        let is_function = words.iter().take(4).any(|word| word == "function");
        if is_function && matches!(&*code, "42P01" | "42703") && self.sql.contains(LEFT_AS_IT_IS) {
            error = error.next(
                "if the type of the records has changed: what was there stays as it is (`create type` with \
                 duplicate_object, `create table if not exists`); before the first load drop both (drop type ... \
                 cascade) and apply again, after it define version 2 with a type of its own",
            );
        }
        self.at(pointed.unwrap_or(statement.start), pointed.is_some(), error)
    }

    /// An error with file and line, and with the place marked if it is known to the character.
    fn at(&self, place: usize, is_marked: bool, mut error: Error) -> Error {
        let before = &self.sql[..place];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let number = before.matches('\n').count() + 1;
        let line = self.sql[line_start..].lines().next().unwrap_or_default();
        error = error.detail(format!("{number:>5} | {line}"));
        if is_marked {
            let indent = " ".repeat(before[line_start..].chars().count());
            error = error.detail(format!("      | {indent}^"));
        }
        error.context(&format!("{}:{number}", self.path.display()))
    }
}

/// Why a statement is not allowed in a file that is applied.
fn refusal(statement: &Statement<'_>) -> Option<Error> {
    if statement.text.starts_with('\\') {
        let command = statement.text.lines().next().unwrap_or_default().trim();
        return Some(
            Error::usage(format!("psql commands are not SQL: {command}"))
                .next("leave it out, or run the file with psql"),
        );
    }
    let words = statement.words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["rollback", "to", ..] | ["rollback", "work" | "transaction", "to", ..] => None,
        ["begin" | "commit" | "end" | "rollback" | "abort", ..]
        | ["start" | "prepare", "transaction", ..] => Some(
            Error::usage(format!(
                "\"{}\" ends or begins a transaction, and all that is applied at once is one",
                words.join(" ")
            ))
            .next("leave it out: sluice apply begins and commits"),
        ),
        ["copy", ..] if statement.text.to_ascii_lowercase().contains("from stdin") => Some(
            Error::usage("copy from stdin has no data here")
                .next("write insert … values, or run the file with psql"),
        ),
        _ => None,
    }
}

fn first_text(message: &SimpleQueryMessage) -> Option<String> {
    match message {
        SimpleQueryMessage::Row(row) => {
            row.get(0).filter(|text| !text.is_empty()).map(str::to_owned)
        }
        _ => None,
    }
}

fn sql_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable =
            |error| Error::usage(format!("{} cannot be read", path.display())).caused_by(error);
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            if entry.extension().is_some_and(|extension| extension == "sql") {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            return Err(Error::usage(format!("{} has no .sql file", path.display()))
                .next("name a file, or a folder of pipeline definitions"));
        }
        inside.sort_by(|a, b| by_number(a, b));
        files.append(&mut inside);
    }
    Ok(files)
}

/// The order of names, in which `orders_v2` comes before `orders_v10`.
fn by_number(a: &Path, b: &Path) -> Ordering {
    let parts = |path: &Path| -> Vec<(String, u64)> {
        let name = path.to_string_lossy();
        let is_digit = |c: char| c.is_ascii_digit();
        let mut parts = Vec::new();
        let mut rest = name.as_ref();
        while !rest.is_empty() {
            let (text, behind) = rest.split_at(rest.find(is_digit).unwrap_or(rest.len()));
            let end = behind.find(|c| !is_digit(c)).unwrap_or(behind.len());
            parts.push((text.to_owned(), behind[..end].parse().unwrap_or(0)));
            rest = &behind[end..];
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}
