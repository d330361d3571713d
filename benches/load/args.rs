//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measure loads of orders side by side with psql's \copy, on a private server.
#[derive(Parser)]
#[command(name = "cargo bench --")]
pub(crate) struct Args {
    /// Orders in a file
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u64).range(1000..))]
    pub(crate) rows: u64,
    /// Measure everything so often, in turns, and show medians
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,
    /// Hand on to `sluice run` (default: its own)
    #[arg(long, value_name = "K")]
    pub(crate) workers: Option<u8>,
    /// Hand on to `sluice run` (default: its own)
    #[arg(long, value_name = "N")]
    pub(crate) batch_rows: Option<u32>,
    /// Fail if a case comes to less of \copy's speed than this, for example first=0.2,same=0.5
    #[arg(long, value_name = "NAME=RATIO", value_delimiter = ',', value_parser = at_least)]
    pub(crate) at_least: Vec<(Case, f64)>,
    /// Only these
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Case>,
    /// Also 10,000 random updates a batch on a small and on a large target; takes long
    #[arg(long)]
    big: bool,
    /// Rows of the large target
    #[arg(long, value_name = "N", default_value = "10000000", value_parser = clap::value_parser!(u64).range(100_000..))]
    pub(crate) big_rows: u64,
    /// Also stream so many MB of NDJSON through standard input and watch the memory
    #[arg(long, value_name = "MB", num_args = 0..=1, default_missing_value = "2000")]
    memory: Option<u64>,
    /// Also load so many records from a local API, in pages of 100
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "200000")]
    http: Option<u64>,
    /// Also take one batch apart, stage by stage
    #[arg(long)]
    budget: bool,
    /// Also the commands of a day on an installation with 200,000 batches and a million open records
    #[arg(long)]
    age: bool,
    /// Measure nothing: write the orders as NDJSON and CSV into this folder, and what to expect of them
    #[arg(long, value_name = "DIR")]
    pub(crate) write_files: Option<PathBuf>,
    /// Folder of the PostgreSQL programs (default: as the embedded server finds them)
    #[arg(long, value_name = "DIR")]
    pub(crate) pg_bin: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// psql's \copy of the typed CSV: the limit
    Copy,
    /// NDJSON into an empty table
    First,
    /// The same records again, under another name
    Same,
    /// The same file again: there is nothing to read
    Nothing,
    /// 1 % of the records changed
    Changed,
    /// 1 % of the records bad, into an empty table
    Bad,
    /// CSV into an empty table
    Csv,
    /// NDJSON into an empty table, by a transform that takes rows
    Rows,
    /// CSV into an empty table, by a transform that takes rows
    CsvRows,
    /// NDJSON into an empty table, by a transform that is told of each record
    Meta,
    /// 20,000 files of one record
    Small,
    /// NDJSON into an empty table, with an old record open in quarantine
    Open,
    /// See --big
    Big,
    /// See --memory
    Memory,
    /// See --http
    Http,
    /// See --budget
    Budget,
    /// See --age
    Age,
}

fn at_least(text: &str) -> Result<(Case, f64), String> {
    let (name, ratio) = text.split_once('=').ok_or("a name, =, and a ratio, such as first=0.2")?;
    Ok((
        Case::from_str(name, false)?,
        ratio.parse().map_err(|error| format!("{ratio:?}: {error}"))?,
    ))
}

impl Args {
    /// Whether a case is to be measured.
    pub(crate) fn wants(&self, case: Case) -> bool {
        let is_asked_for = match case {
            Case::Big => self.big,
            Case::Memory => self.memory.is_some(),
            Case::Http => self.http.is_some(),
            Case::Budget => self.budget,
            Case::Age => self.age,
            _ => self.only.is_empty(),
        };
        is_asked_for || self.only.contains(&case)
    }

    /// Whether any of the loads of a whole file is to be measured.
    pub(crate) fn wants_loads(&self) -> bool {
        use Case::{
            Bad, Changed, Copy, Csv, CsvRows, First, Meta, Nothing, Open, Rows, Same, Small,
        };
        [Copy, First, Nothing, Same, Changed, Bad, Csv, Rows, CsvRows, Meta, Small, Open]
            .iter()
            .any(|case| self.wants(*case))
    }

    /// How many records a case loads.
    pub(crate) fn rows_of(&self, case: Case) -> u64 {
        match case {
            Case::Small => self.rows.min(20_000),
            _ => self.rows,
        }
    }

    /// How many records the API has: whole pages.
    pub(crate) fn http_rows(&self) -> u64 {
        self.http.unwrap_or(200_000).next_multiple_of(100)
    }

    /// How much to stream for the memory check.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.unwrap_or(2000) * 1_000_000
    }
}
