//! `sluice amend`

use super::args;
use super::call::call;
use super::context::Context;
use crate::error::{Error, Result};
use serde_json::json;
use std::io::Read;

pub(super) async fn amend(context: &Context, args: &args::Amend) -> Result<u8> {
    let payload = read(&args.payload)?;
    // The line end of the last line belongs to the file, not to the record.
    let payload = payload.strip_suffix('\n').unwrap_or(&payload);
    call(
        context,
        json!({"id": args.id}),
        "select sluice.amend(quarantine_id => $1, payload => $2, reason => $3) as done",
        &[&args.id, &payload, &args.reason],
    )
    .await
}

fn read(path: &str) -> Result<String> {
    let mut text = String::new();
    let done = match path {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        path => std::fs::read_to_string(path).map(|found| text = found),
    };
    match done {
        Ok(()) => Ok(text),
        Err(error) => Err(Error::usage(format!(
            "the corrected payload cannot be read from {path}"
        ))
        .caused_by(error)
        .next("name a file of UTF-8 text with --payload, or send it to standard input")),
    }
}
