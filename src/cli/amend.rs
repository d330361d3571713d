//! `sluice amend`

use super::args;
use super::call::{call, rows};
use super::context::Context;
use super::diagnostics;
use crate::error::{Error, Result};
use serde_json::json;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::Command;
use tempfile::NamedTempFile;

pub(super) async fn amend(context: &Context, args: &args::Amend) -> Result<u8> {
    let about = json!({"id": args.id});
    if args.restore {
        let sql = "select sluice.restore_payload(quarantine_id => $1, reason => $2) as done";
        return call(context, about, sql, &[&args.id, &args.reason]).await;
    }
    let payload = match args.edit {
        true => edit(context, args.id).await?,
        false => read(&args.payload)?,
    };
    call(
        context,
        about,
        "select sluice.amend(quarantine_id => $1, payload => $2, reason => $3, as_is => $4) as done",
        &[
            &args.id,
            &without_line_end(&payload),
            &args.reason,
            &args.as_is,
        ],
    )
    .await
}

/// The line end of the last line belongs to the file, not to the record.
fn without_line_end(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

fn read(path: &str) -> Result<String> {
    let mut text = String::new();
    let done = match path {
        "-" => {
            if std::io::stdin().is_terminal() {
                diagnostics::note(
                    "the payload is read from the terminal, to the end of input (Ctrl-D); --edit opens an editor",
                );
            }
            std::io::stdin().read_to_string(&mut text).map(drop)
        }
        path => std::fs::read_to_string(path).map(|found| text = found),
    };
    match done {
        Ok(()) if text.trim().is_empty() => Err(Error::usage(format!(
            "there is no payload {}",
            match path {
                "-" => "on standard input".to_owned(),
                path => format!("in {path}"),
            }
        ))
        .next(
            "send the whole record as it should have come: --edit opens it in an editor; \
             sluice discard closes a record instead",
        )),
        Ok(()) => Ok(text),
        Err(error) => {
            Err(Error::usage(format!("the corrected payload cannot be read from {path}"))
                .caused_by(error)
                .next("name a file of UTF-8 text with --payload, or send it to standard input"))
        }
    }
}

/// What becomes of the payload in an editor.
async fn edit(context: &Context, id: i64) -> Result<String> {
    let session = context.session().await?;
    let sql = "select payload from sluice.quarantine_open_details where id = $1";
    let records = rows(&session, sql, &[&id]).await?;
    let before =
        records.first().and_then(|record| record["payload"].as_str()).ok_or_else(|| {
            Error::usage(format!("there is no open quarantined record {id}"))
                .next("sluice quarantine PIPELINE lists them")
        })?;
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "vi".to_owned());
    let file = temp_file(before).map_err(|cause| {
        Error::failed("a file for the editor cannot be made")
            .caused_by(cause)
            .next("check the folder for temporary files (TMPDIR); nothing was changed")
    })?;
    let after = in_editor(&editor, file.path()).map_err(|error| {
        Error::failed(format!("the payload cannot be edited with {editor}"))
            .caused_by(error)
            .next("set EDITOR to the editor of your choice; nothing was changed")
    })?;
    match without_line_end(&after) == before {
        false => Ok(after),
        true => {
            Err(Error::usage(format!("the payload of quarantined record {id} came back as it was"))
                .next("nothing was changed; save it in the editor to amend it"))
        }
    }
}

/// A file that nobody else can read.
fn temp_file(text: &str) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("sluice-").suffix(".json").tempfile()?;
    writeln!(file, "{text}")?;
    Ok(file)
}

fn in_editor(editor: &str, file: &Path) -> std::io::Result<String> {
    // As the shell has it: editors come with options.
    let status =
        Command::new("sh").args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(file).status()?;
    match status.success() {
        // By its name: editors write a new file in its place.
        true => std::fs::read_to_string(file),
        false => Err(std::io::Error::other(format!("it ended with {status}"))),
    }
}
