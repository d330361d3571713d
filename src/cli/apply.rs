//! `sluice apply`

use super::args;
use super::context::Context;
use crate::db::Session;
use crate::error::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::ErrorPosition;

pub(super) async fn apply(context: &Context, args: &args::Apply) -> Result<u8> {
    let files = sql_files(&args.paths)?;
    let session = context.session().await?;
    let mut applied = Vec::new();
    for file in &files {
        let said = apply_file(&session, file).await?;
        if !args.json {
            for line in &said {
                println!("{}: {line}", file.display());
            }
            if said.is_empty() {
                println!("{}: applied", file.display());
            }
        }
        applied.push(serde_json::json!({"file": file, "said": said}));
    }
    if args.json {
        println!("{}", serde_json::Value::Array(applied));
    }
    Ok(0)
}

/// Runs one file in one transaction; returns the texts its statements returned.
pub(super) async fn apply_file(session: &Session, file: &Path) -> Result<Vec<String>> {
    let sql = fs::read_to_string(file).map_err(|error| {
        Error::usage(format!("{} cannot be read", file.display())).caused_by(error)
    })?;
    session.batch_execute("begin").await?;
    let result = session.simple_query(&sql).await;
    match result {
        Ok(messages) => {
            session
                .batch_execute("commit")
                .await
                .map_err(|error| in_file(error, file, &sql))?;
            Ok(messages.iter().filter_map(first_text).collect())
        }
        Err(error) => {
            let error = in_file(error, file, &sql);
            // The connection may be gone; then so is the transaction.
            let _ = session.batch_execute("rollback").await;
            Err(error)
        }
    }
}

fn first_text(message: &SimpleQueryMessage) -> Option<String> {
    match message {
        SimpleQueryMessage::Row(row) => row
            .get(0)
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        _ => None,
    }
}

/// A server's error with file and line, when it points into the file.
fn in_file(error: tokio_postgres::Error, file: &Path, sql: &str) -> Error {
    let position = error
        .as_db_error()
        .and_then(|error| match error.position() {
            Some(ErrorPosition::Original(position)) => Some(*position as usize),
            _ => None,
        });
    let mut error = Error::from(error);
    if error.kind() == crate::error::Kind::Failed {
        error = error.with_kind(crate::error::Kind::Usage);
    }
    let place = match position {
        Some(position) => {
            let before: String = sql.chars().take(position.saturating_sub(1)).collect();
            let number = before.matches('\n').count() + 1;
            let line = sql.lines().nth(number - 1).unwrap_or_default();
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count();
            error = error
                .detail(format!("{number:>5} | {line}"))
                .detail(format!("      | {}^", " ".repeat(column)));
            format!("{}:{number}", file.display())
        }
        None => file.display().to_string(),
    };
    let statement = sql.lines().find(|line| line.trim_start().starts_with('\\'));
    if let Some(line) = statement {
        error = error.detail(format!("psql commands are not SQL: {}", line.trim()));
    }
    error
        .context(&place)
        .detail("nothing of this file was applied")
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
            if entry
                .extension()
                .is_some_and(|extension| extension == "sql")
            {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            return Err(Error::usage(format!("{} has no .sql file", path.display()))
                .next("name a file, or a folder of pipeline definitions"));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}
