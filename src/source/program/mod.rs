//! Records that a program prints: Singer taps, Airbyte connectors, and whatever else writes NDJSON,
//! JSON, CSV or TSV.
//!
//! The host allows programs, and what they may access. A program runs in a process group that ends with the
//! run. Only its exit status proves that its output is complete. A tap's state is committed with the cursor
//! and all records before it: later records are printed again by the next run, which skips unchanged rows.

mod airbyte;
mod catalog;
mod child;
mod command;
mod cursor;
mod message_parser;
mod messages;
mod output;
mod plain;
mod queue;
mod router;
mod schema;
mod settings;
mod shared;
mod singer;
mod stream;

use serde_json::Value;

pub(crate) use self::shared::share;

use self::catalog::Catalog;
use self::plain::Plain;
use self::settings::{ProgramSettings, Protocol};
use super::{Declared, Source, SourceContext, Start};
use crate::error::{Error, Result};

/// Which program would be started, and the files that it is given.
pub(super) fn preflight(settings: &Value, context: &SourceContext) -> Vec<Result<String>> {
    let settings = match ProgramSettings::parse(settings) {
        Ok((settings, _)) => settings,
        Err(error) => return vec![Err(error)],
    };
    let program = context.host.program(&settings.program);
    let program = program.map(|path| format!("would start {}", path.display()));
    let files = [&settings.config, &settings.catalog];
    let files = files.into_iter().flatten().map(|path| {
        let path = command::given(path, context)?;
        Ok(format!("may read {}", path.display()))
    });
    std::iter::once(program).chain(files).collect()
}

/// What the catalog of a tap or connector says of its stream.
pub(super) fn declared(settings: &Value, context: &SourceContext) -> Result<Declared> {
    let (settings, _) = ProgramSettings::parse(settings)?;
    match settings.protocol {
        Protocol::Singer | Protocol::Airbyte => {
            Catalog::of(&settings, context)?.declared(&settings)
        }
        _ => Ok(Declared::default()),
    }
}

/// Opens the source that `settings` describe: starts its program.
pub(super) fn open(
    settings: &Value,
    start: &Start,
    context: &SourceContext,
) -> Result<Box<dyn Source>> {
    if settings["path"].is_string() || settings["format"].is_string() {
        return Err(Error::usage("--path and --format are not for programs")
            .next("they go with sources of files and objects"));
    }
    let (parsed, records) = ProgramSettings::parse(settings)?;
    match parsed.protocol {
        Protocol::Singer | Protocol::Airbyte => shared::open(settings, start, context),
        Protocol::Ndjson | Protocol::Json | Protocol::Csv | Protocol::Tsv => {
            Ok(Box::new(Plain::new(&parsed, records, start.cursor.as_ref(), context)?))
        }
    }
}
