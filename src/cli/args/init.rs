//! The options of `sluice init`.

use crate::host::ALLOW_PROGRAMS;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  sluice init drop/orders.csv > orders.sql && sluice apply orders.sql && sluice run orders
  sluice init drop/ --table shop.orders --key order_id
  sluice init https://shop.example/api/orders
  sluice init --source \"sluice.http_source(url => 'https://shop.example/api/orders',
                        auth => sluice.bearer_auth(env => 'SHOP_TOKEN'))\"
  sluice init --source \"sluice.sqlite_source(path => 'app.db', \\\"table\\\" => 'orders')\"
  sluice init --source \"sluice.program_source(program => 'tap-shop', protocol => 'singer', stream => '?')\"
  sluice init s3://lake/orders/ --project shop-etl

Types are those that lose nothing of the sample; what is in doubt stays text, and a comment says \"choose:\".")]
pub(crate) struct Init {
    /// File, glob, folder, - for standard input, or URL (https://, s3://, gs://, az://)
    #[arg(value_name = "FILE|URL", conflicts_with = "source")]
    pub(crate) place: Option<String>,
    /// Look at the source that this call makes
    #[arg(long, value_name = "SQL")]
    pub(crate) source: Option<String>,
    /// What the files are (default: by their names, else by their content)
    #[arg(long, value_name = "FORMAT", conflicts_with = "source", value_parser = super::loading::FORMATS)]
    pub(crate) format: Option<String>,
    /// Call the pipeline so (default: by the place)
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Load into this table (default: named like the pipeline, in public)
    #[arg(long, value_name = "SCHEMA.TABLE")]
    pub(crate) table: Option<String>,
    /// Tell records apart by these columns (default: the one that is named like a key and unique)
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// Look at so many records
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) sample: u64,
    /// What becomes of objects in records: a column a member, or one of type jsonb
    #[arg(long, value_enum, default_value_t = Nested::Flatten)]
    pub(crate) nested: Nested,
    /// The transform takes rows, as it does for CSV, Parquet and databases anyway: objects are one column of type jsonb
    #[arg(long, conflicts_with_all = ["documents", "nested"])]
    pub(crate) rows: bool,
    /// The transform takes JSON documents
    #[arg(long)]
    pub(crate) documents: bool,
    /// Look for programs here, too, as runs will: /srv/taps:/usr/bin/jq
    #[arg(long, env = ALLOW_PROGRAMS, value_name = "PATH:...")]
    pub(crate) allow_programs: Option<String>,
    /// Write it into a new folder, with what a project needs: compose file, check for CI, README
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

/// What becomes of objects in records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Nested {
    /// A column for each member.
    Flatten,
    /// One column of type jsonb.
    Keep,
}
