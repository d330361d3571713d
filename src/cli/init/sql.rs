//! Writes the pipeline as a file for `sluice apply`.

use super::column::{SampleColumn, Takes, array};
use super::name::quoted;
use crate::db::literal;
use serde_json::Value;
use std::fmt::Write;

/// All that is in the file.
#[derive(Debug)]
pub(super) struct Pipeline<'a> {
    pub(super) name: String,
    /// As SQL writes them.
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) columns: &'a [SampleColumn],
    pub(super) takes: Takes,
    pub(super) key: Vec<&'a SampleColumn>,
    pub(super) order_by: Option<&'a SampleColumn>,
    pub(super) source: SourceCall,
    /// From what it was made.
    pub(super) what: String,
    /// What only a person can say about the source.
    pub(super) choices: Vec<String>,
}

/// The call that makes the source.
#[derive(Debug)]
pub(super) enum SourceCall {
    /// Made of settings.
    Settings(Value),
    /// As the user wrote it.
    Written(String),
}

impl Pipeline<'_> {
    /// The text of the file.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (schema, table, name) = (&self.schema, &self.table, &self.name);
        writeln!(out, "-- {name}: made by `sluice init` from {}.", one_line(&self.what))?;
        writeln!(
            out,
            "-- Read it through, correct it, apply it with `sluice apply`. Types are those that lose nothing of the sample;"
        )?;
        writeln!(
            out,
            "-- what does not fit them later goes to quarantine. \"choose:\" marks what only you can know.\n"
        )?;
        if schema != "public" {
            writeln!(out, "create schema if not exists {schema};\n")?;
        }
        writeln!(out, "create table if not exists {schema}.{table} (")?;
        for column in self.columns {
            if let Some(choice) = &column.choice {
                writeln!(out, "  -- choose: {}", one_line(choice))?;
            }
            let in_key = self.key.iter().any(|key| std::ptr::eq(*key, column));
            let not_null = if in_key { " not null" } else { "" };
            writeln!(out, "  {} {}{not_null},", column.name, column.sql)?;
        }
        let key: Vec<&str> = self.key.iter().map(|column| &*column.name).collect();
        writeln!(out, "  primary key ({})\n);\n", key.join(", "))?;
        self.write_transform(out)?;
        writeln!(out, "select sluice.define_pipeline(")?;
        writeln!(out, "  name      => {},", literal(name))?;
        writeln!(out, "  version   => 1,")?;
        writeln!(out, "  transform => {},", literal(&self.function()))?;
        writeln!(out, "  target    => {},", literal(&format!("{schema}.{table}")))?;
        let key: Vec<String> = self.key.iter().map(|column| column.plain.clone()).collect();
        writeln!(out, "  key       => {},", literal(&array(&key)))?;
        if let Some(column) = self.order_by {
            writeln!(out, "  -- An older record never overwrites a newer one.")?;
            writeln!(out, "  order_by  => {},", literal(&column.plain))?;
        }
        for choice in &self.choices {
            writeln!(out, "  -- choose: {}", one_line(choice))?;
        }
        match &self.source {
            SourceCall::Written(call) => writeln!(out, "  source    => {call});"),
            SourceCall::Settings(settings) => writeln!(out, "  source    => {});", call(settings)),
        }
    }

    fn write_transform(&self, out: &mut String) -> std::fmt::Result {
        let columns: Vec<String> = (self.columns.iter())
            .map(|column| format!("  {} {}", column.name, column.sql))
            .collect();
        let expressions: Vec<String> = (self.columns.iter())
            .map(|column| format!("    {}", column.expression(self.takes)))
            .collect();
        let body = expressions.join(",\n");
        let quote = quote_of(&body);
        if self.takes == Takes::Row {
            self.write_input(out)?;
        }
        let argument = match self.takes {
            Takes::Document => "doc jsonb".to_owned(),
            Takes::Row => format!("r {}", self.of_version("in_v1")),
        };
        writeln!(out, "create or replace function {}({argument})", self.function())?;
        writeln!(out, "returns table (\n{})", columns.join(",\n"))?;
        writeln!(out, "language sql stable as {quote}\n  select\n{body}\n{quote};\n")
    }

    /// The fields of a record, as text. There is no `create type if not exists`.
    fn write_input(&self, out: &mut String) -> std::fmt::Result {
        let input = self.of_version("in_v1");
        let fields: Vec<String> = (self.columns.iter().flat_map(|column| &column.path))
            .map(|field| format!("    {} text", quoted(field)))
            .collect();
        let body = format!("  create type {input} as (\n{}\n  );", fields.join(",\n"));
        let quote = quote_of(&body);
        writeln!(
            out,
            "do {quote} begin\n{body}\nexception when duplicate_object then null;\nend {quote};\n"
        )
    }

    fn function(&self) -> String {
        self.of_version("v1")
    }

    /// A name made from the table's, for what belongs to one version of its transform.
    fn of_version(&self, version: &str) -> String {
        let plain = self.table.trim_matches('"').replace("\"\"", "\"");
        format!("{}.{}", self.schema, quoted(&format!("{plain}_{version}")))
    }
}

/// A dollar quote for a text, which may have others in it.
fn quote_of(body: &str) -> String {
    let mut tag = String::new();
    while body.contains(&format!("${tag}$")) {
        tag.push('q');
    }
    format!("${tag}$")
}

/// Comments end with their line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `sluice.file_source(path => 'drop', ...)`
fn call(settings: &Value) -> String {
    let arguments: Vec<String> = settings
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| *name != "kind" && *name != "model" && !value.is_null())
        .map(|(name, value)| format!("{name} => {}", argument(value)))
        .collect();
    let function = match (settings["kind"].as_str(), settings["model"].as_str()) {
        (Some(kind), _) => format!("{kind}_source"),
        (_, model) => format!("{}_paging", model.unwrap_or_default()),
    };
    format!("sluice.{function}({})", arguments.join(", "))
}

fn argument(value: &Value) -> String {
    match value {
        Value::String(text) => literal(text),
        Value::Array(texts) => {
            let texts = texts.iter().map(|text| text.as_str().unwrap_or_default().to_owned());
            literal(&array(&texts.collect::<Vec<_>>()))
        }
        Value::Object(_) if value["model"].is_string() => call(value),
        Value::Object(_) => literal(&value.to_string()),
        other => other.to_string(),
    }
}
