//! Takes one batch apart: microseconds a record, stage by stage, on one connection.

use crate::Failure;
use crate::cases::{Bench, DATABASE};
use crate::files::{self, Format, Variant};
use crate::process;
use crate::table::{aligned, median};
use pgsluice::source::{BatchBuilder, BatchLimits};
use serde_json::json;
use std::collections::HashMap;
use std::time::Instant;

const RECORDS: u64 = 20_000;
/// The first makes the temporary tables and is not counted.
const ROUNDS: usize = 16;

/// What is shown: its name, and which stages of `budget.sql` it is made of, some to be taken
/// off again.
const LINES: [(&str, &[&str], &[&str]); 19] = [
    ("read, digest, encode (client)", &["client"], &[]),
    ("begin, begin_batch", &["begin", "begin_batch"], &[]),
    ("copy", &["copy"], &[]),
    ("transform_batch, all new", &["transform_batch"], &[]),
    ("  parse", &["parse"], &["scan"]),
    ("  extract and cast", &["extract"], &["parse"]),
    ("  hash", &["hash"], &["record"]),
    ("  coerce, check, insert into temp", &["insert into temp", "record"], &["extract", "hash"]),
    ("  look for bad and superseded rows", &["look"], &[]),
    ("load_batch, all new", &["load_batch"], &[]),
    ("  look for rows in the way", &["overlap"], &[]),
    ("  insert", &["insert"], &[]),
    ("  remember, ledger, the rest", &["load_batch"], &["overlap", "insert"]),
    ("commit, all new", &["commit"], &[]),
    ("transform_batch, all known", &["transform_batch known"], &[]),
    ("load_batch, all known", &["load_batch known"], &[]),
    ("load_batch, all parsed and unchanged", &["load_batch parsed"], &[]),
    (
        "a record, all new",
        &["client", "begin", "begin_batch", "copy", "transform_batch", "load_batch", "commit"],
        &[],
    ),
    (
        "a record, all known",
        &[
            "client",
            "begin",
            "begin_batch",
            "copy",
            "transform_batch known",
            "load_batch known",
            "commit known",
        ],
        &[],
    ),
];

/// Runs the script again and again and shows medians.
pub(crate) fn measure(bench: &mut Bench) -> Result<String, Failure> {
    eprintln!("budget: {ROUNDS} batches by hand");
    bench.fresh()?;
    let mut stages: HashMap<String, Vec<f64>> = HashMap::new();
    for _ in 0..ROUNDS {
        let micros = encode(bench)?;
        stages.entry("client".to_owned()).or_default().push(micros);
    }
    let folder = &bench.cluster.folder;
    std::fs::write(folder.join("budget.sql"), include_str!("budget.sql").repeat(ROUNDS))?;
    let mut psql = bench.cluster.psql(DATABASE);
    psql.current_dir(folder).args(["-f", "budget.sql"]);
    let said = process::run(psql, None)?.stdout;
    let mut stage = None;
    for line in said.lines() {
        if let Some(name) = line.strip_prefix("stage ") {
            stage = Some(name);
        } else if let (Some(name), Some(time)) = (stage, line.strip_prefix("Time: ")) {
            let ms: f64 = time.split(' ').next().unwrap_or_default().parse()?;
            let times = stages.entry(name.to_owned()).or_default();
            times.push(ms * 1000.0 / RECORDS as f64);
            stage = None;
        }
    }
    let micros_of = |names: &[&str]| -> f64 {
        names.iter().filter_map(|name| median(stages.get(*name)?.iter().skip(1).copied())).sum()
    };
    let mut rows = vec![vec![format!("one batch of {RECORDS}"), "µs a record".to_owned()]];
    for (name, of, less) in LINES {
        rows.push(vec![name.to_owned(), format!("{:.2}", micros_of(of) - micros_of(less))]);
    }
    Ok(aligned(&rows))
}

/// Writes the batch as the loader would send it. The loader's source also finds the ends of
/// lines, as `lines` does here.
fn encode(bench: &Bench) -> Result<f64, Failure> {
    let input = bench.cluster.folder.join("batch.ndjson");
    files::write(&input, RECORDS, Format::Ndjson, Variant::Plain)?;
    let started = Instant::now();
    let text = std::fs::read_to_string(&input)?;
    let mut builder =
        BatchBuilder::new(BatchLimits { digests: true, rows: usize::MAX, bytes: usize::MAX });
    for (place, line) in (1..).zip(text.lines()) {
        builder.push(place, line.as_bytes());
    }
    let batch = builder.finish(json!({}));
    let micros = started.elapsed().as_secs_f64() * 1e6 / RECORDS as f64;
    std::fs::write(bench.cluster.folder.join("batch.bin"), &batch.copy_data)?;
    Ok(micros)
}
