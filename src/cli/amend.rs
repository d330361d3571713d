//! `sluice amend`

use super::args;
use super::context::Context;
use crate::error::{Error, Result};
use std::io::Read;
use tokio_postgres::types::Type;

pub(super) async fn amend(context: &Context, args: &args::Amend) -> Result<u8> {
    let payload = read(&args.payload)?;
    // The line end of the last line belongs to the file, not to the record.
    let payload = payload.strip_suffix('\n').unwrap_or(&payload);
    let session = context.session().await?;
    let row = session
        .query_typed_one(
            "select sluice.amend(quarantine_id => $1, payload => $2, reason => $3)",
            &[
                (&args.id, Type::INT8),
                (&payload, Type::TEXT),
                (&args.reason, Type::TEXT),
            ],
        )
        .await?;
    let done: String = row.get(0);
    match args.json {
        true => println!("{}", serde_json::json!({"id": args.id, "done": done})),
        false => println!("{done}"),
    }
    Ok(0)
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
