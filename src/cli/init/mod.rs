//! `sluice init`: looks at the first records of a source and writes a first pipeline for them.

mod answer;
mod api;
mod column;
mod dialect;
mod evidence;
mod key;
mod kind;
mod members;
mod name;
mod paging;
mod place;
mod project;
mod row;
mod sample;
mod sql;
mod table;

use super::args;
use super::context::Context;
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::Budget;
use crate::source::SourceContext;
use crate::source::{self, Declared, DeclaredField};
use crate::stop::Stop;
use column::SampleColumn;
use dialect::SampleLayout;
use sample::{Sample, Sampler};
use serde_json::{Value, json};
use sql::{Pipeline, SourceCall};
use std::sync::Arc;

/// A source that does not answer is given up soon: somebody is waiting.
const RETRIES: u32 = 2;

pub(super) async fn init(context: &Context, args: &args::Init) -> Result<u8> {
    let (mut settings, written) = match (&args.place, &args.source) {
        // A project is another folder.
        (Some(place), None) if args.project.is_some() => {
            (place::settings(&place::rooted(place))?, None)
        }
        (Some(place), None) => (place::settings(place)?, None),
        (_, Some(call)) => (evaluate(context, call).await?, Some(call.clone())),
        (None, None) => {
            return Err(Error::usage("there is nothing to look at").next(
                "name a file, a folder or a URL; or a source: --source \"sluice.http_source(...)\"",
            ));
        }
    };
    if let Some(format) = &args.format {
        settings["format"] = json!(format);
    }
    // What is named on the command line comes from whoever runs this host.
    let context = SourceContext::of_run(
        Arc::new(Budget::new(RETRIES, Stop::never())),
        HostRules::with_programs(args.allow_programs.as_deref()),
    );
    let asked = args.clone();
    // Sources block.
    let text = tokio::task::spawn_blocking(move || draft(&asked, settings, written, context))
        .await
        .map_err(|cause| Error::failed("looking at the source was given up").caused_by(cause))?;
    let (name, text) = text?;
    match &args.project {
        Some(folder) => project::write(folder, &name, &text)?,
        None => print!("{text}"),
    }
    Ok(0)
}

/// The settings that a call of one of the engine's constructors makes.
async fn evaluate(context: &Context, call: &str) -> Result<Value> {
    let session = context.session().await?;
    let row = session.query_one(&format!("select ({call})::jsonb"), &[]).await?;
    let settings: Option<Value> = row.try_get(0)?;
    settings.ok_or_else(|| {
        Error::usage("the source is null").next("write a call: sluice.file_source(path => 'drop')")
    })
}

/// The pipeline's name, and the text of its file.
fn draft(
    args: &args::Init,
    settings: Value,
    written: Option<String>,
    context: SourceContext,
) -> Result<(String, String)> {
    let mut sampler = Sampler::new(context);
    sampler.prepare(&settings)?;
    let pipeline = match &args.name {
        Some(name) => name.clone(),
        None => place::name(&settings),
    };
    let (schema, table) = table(args.table.as_deref(), &pipeline)?;
    let asked = source::declared(&settings, sampler.source_context());
    let declared = sampler.source_context().runtime.block_on(asked)?;
    let found = match settings["kind"].as_str() {
        Some("http") => api::find(&sampler, settings.clone())?,
        Some("file" | "object") => dialect::find(&sampler, settings.clone())?,
        _ => SampleLayout::told(settings.clone()),
    };
    let sample = sampler.take(&found.settings, args.sample)?;
    let what = described(&sample, &settings);
    let declared = match sample.records == 0 && !sample.declared.is_empty() {
        true => Declared { fields: sample.declared.clone(), is_binding: true, ..declared },
        false => declared,
    };
    if sample.records == 0 && !declared.is_binding {
        return Err(nothing(&sample, &what));
    }
    let may_flatten = args.nested == args::Nested::Flatten && !args.rows;
    let columns = columns(&sample, may_flatten, found.is_tabular, &declared);
    let takes = row::takes(args, &found.settings, &sample, &columns)?;
    let key = key::choose(
        &columns,
        if args.key.is_empty() { &declared.key } else { &args.key },
        &name::plain(&pipeline, "records"),
        sample.records,
        &what,
    )?;
    let mut choices = found.choices;
    if let Some((_, fault)) = &sample.fault {
        choices
            .push(format!("{} of the records looked at will be quarantined: {fault}", sample.bad));
    }
    let order_by = key::order(&columns, settings["cursor"].as_str());
    if !args.key.is_empty() && order_by.is_none() {
        choices.extend(key::doubt(&key, sample.records));
    }
    let is_incremental = !found.settings["since"].is_null() || settings["cursor"].is_string();
    let unused = order_by.as_ref().filter(|_| !is_incremental);
    choices.extend(unused.and_then(|column| incremental(&settings, &column.path.join("/"))));
    let source = match written {
        // There was nothing to find out beyond what the call says.
        Some(call) if found.settings == settings => SourceCall::Written(call),
        _ => SourceCall::Settings(found.settings),
    };
    let pipeline = Pipeline {
        name: pipeline,
        schema,
        table,
        columns: &columns,
        takes,
        key,
        order_by,
        source,
        what,
        choices,
    };
    Ok((pipeline.name.clone(), pipeline.text()))
}

/// How the source could be read incrementally by a field.
fn incremental(settings: &Value, path: &str) -> Option<String> {
    match settings["kind"].as_str()? {
        "http" => Some(format!(
            "since => sluice.since(param => ..., field => '/{path}'), if the API has a parameter for what is new; \
             without it all pages are read each time"
        )),
        "postgres" | "mysql" | "sqlite" => Some(format!(
            "cursor => '{path}', if that grows with each change; without it all rows are read each time"
        )),
        _ => None,
    }
}

fn described(sample: &Sample, settings: &Value) -> String {
    let place = ["table", "path", "url", "stream", "program"]
        .iter()
        .find_map(|name| settings[*name].as_str())
        .unwrap_or("the source");
    match sample.records {
        0 => format!("the columns of {place}"),
        1 => format!("the first record of {place}"),
        records => format!("the first {records} records of {place}"),
    }
}

fn nothing(sample: &Sample, what: &str) -> Error {
    let place = what.rsplit_once(" of ").map_or(what, |(_, place)| place);
    let error = Error::usage(format!("there are no records in {place} to tell columns from"));
    match &sample.fault {
        Some((sqlstate, fault)) => error
            .detail(format!("{} records are bad; the first: {sqlstate} {fault}", sample.bad))
            .next(match fault.starts_with("a quote ") {
                true => dialect::STRAY_QUOTES,
                false => "say how they stand there: --source \"sluice.file_source(path => ..., format => ..., delimiter => ...)\"",
            }),
        None => {
            (sample.unread.iter().fold(error, |error, why| error.detail(why)))
                .next("look at one that has some, like those to come")
        }
    }
}

fn columns<'a>(
    sample: &'a Sample,
    flatten: bool,
    is_tabular: bool,
    declared: &'a Declared,
) -> Vec<SampleColumn> {
    if declared.is_binding {
        let fields = declared.fields.iter();
        let names = fields
            .enumerate()
            .map(|(index, field)| name::plain(&field.name, &format!("column_{}", index + 1)));
        return (name::distinct(names).into_iter().zip(&declared.fields))
            .map(|(plain, field)| {
                let seen = sample.field.member(&field.name);
                let is_key = declared.key.contains(&field.name);
                SampleColumn::declared(plain, field, seen, sample.records, is_key)
            })
            .collect();
    }
    let leaves = sample.field.leaves(flatten);
    let names = leaves.iter().enumerate().map(|(index, (path, _))| {
        let fallback = match path.is_empty() {
            true => "record".to_owned(),
            false => format!("column_{}", index + 1),
        };
        name::plain(&path.join("_"), &fallback)
    });
    let names = name::distinct(names);
    names
        .into_iter()
        .zip(leaves)
        .map(|(name, (path, field))| {
            let find = |fields: &'a [DeclaredField]| match &path[..] {
                [path] => fields.iter().find(|field| field.name == *path),
                _ => None,
            };
            if let Some(known) = find(&sample.declared) {
                return SampleColumn::declared(name, known, Some(field), sample.records, false);
            }
            let said = find(&declared.fields);
            SampleColumn::new(name, path, field, sample.records, is_tabular, said)
        })
        .collect()
}

/// Schema and table, as SQL writes them.
fn table(given: Option<&str>, pipeline: &str) -> Result<(String, String)> {
    let (schema, table) = match given {
        None => ("public", name::plain(pipeline, "records")),
        Some(given) => {
            let (schema, table) = given.split_once('.').unwrap_or(("public", given));
            (schema, table.to_owned())
        }
    };
    if schema.is_empty() || table.is_empty() || table.contains('.') {
        return Err(Error::usage(format!("\"{}\" is not a table name", given.unwrap_or_default()))
            .next("write it as schema.table"));
    }
    Ok((name::quoted(schema), name::quoted(&table)))
}
