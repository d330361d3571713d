//! Options of the commands that load.

use clap::Args;

/// What files can be read as.
pub(super) const FORMATS: [&str; 5] = ["ndjson", "json", "csv", "tsv", "parquet"];

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice run orders
  sluice run --all --log-format json
  sluice run orders --dry-run              everything for real, then rolled back
  zcat dump.ndjson.gz | sluice run orders --path -

The last line on stdout of each pipeline's run is its summary, stable key=value:
  orders ok extracted=336776 transformed=336770 filtered=0 quarantined=6 inserted=336700 ...")]
pub(crate) struct Run {
    /// Pipelines, run one after the other
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Run every pipeline, in the order of their definition
    #[arg(long)]
    pub(crate) all: bool,
    /// Side by side those that read streams of one tap or connector, with one run of it for all
    #[arg(long)]
    pub(crate) together: bool,
    #[command(flatten)]
    pub(crate) loading: Loading,
    /// Then send what the pipeline delivers (sluice deliver)
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) deliver: bool,
    /// Delete or mark at most this share of the rows as missing (default: the pipeline's max_delete_ratio)
    #[arg(long, value_name = "0..1", value_parser = super::ratio)]
    pub(crate) max_delete_ratio: Option<f64>,
    /// Take the source for this format (default: the pipeline's, or by its name)
    #[arg(long, value_name = "FORMAT", value_parser = FORMATS)]
    pub(crate) format: Option<String>,
    /// Read from here instead of the pipeline's own path (- for standard input)
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
}

/// How to load.
#[derive(Debug, Args)]
pub(crate) struct Loading {
    /// Close a batch after so many records (default: the pipeline's, or 20000)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_rows: Option<u32>,
    /// Close a batch after so many payload bytes (default: the pipeline's, or 8388608)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) batch_bytes: Option<u32>,
    /// Close a batch after so many seconds, where the source is slow: a pipe, an API
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) batch_seconds: u64,
    /// Stage so many batches side by side, each on a connection of its own
    #[arg(long, value_name = "K", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) workers: u8,
    /// Stop after so many batches
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_batches: Option<u64>,
    #[command(flatten)]
    pub(crate) dry: DryRun,
    /// Depose a run that holds the pipeline, even a living one
    #[arg(long)]
    pub(crate) takeover: bool,
    /// Take a run that holds the pipeline for hung after so many silent seconds, 3 at least
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(3..))]
    pub(crate) stale_after: u64,
    /// Retry passing failures so often in all
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) retries: u32,
    #[command(flatten)]
    pub(crate) host: Host,
    /// Stop at this share of bad records (default: the pipeline's max_bad_ratio)
    #[arg(long, value_name = "0..1", value_parser = super::ratio)]
    pub(crate) max_bad_ratio: Option<f64>,
}

/// What pipelines may touch on this machine.
#[derive(Debug, Args)]
pub(crate) struct Host {
    /// Give pipelines these environment variables: SHOP_TOKEN,STRIPE_* (default: $SLUICE_ALLOW_ENV, else none; on the embedded server all)
    #[arg(long, value_name = "NAME,...")]
    pub(crate) allow_env: Option<String>,
    /// Give pipelines the files in these folders: /srv/drops:/srv/archive (default: $SLUICE_ALLOW_FILES, else none; on the embedded server all)
    #[arg(long, value_name = "FOLDER:...")]
    pub(crate) allow_files: Option<String>,
    /// Let pipelines talk to these hosts and buckets: api.shop.example,s3://drops (default: $SLUICE_ALLOW_HOSTS, else none; on the embedded server all)
    #[arg(long, value_name = "HOST,...")]
    pub(crate) allow_hosts: Option<String>,
    /// Let pipelines start these programs, and those in these folders: /srv/taps:/usr/bin/jq (default: $SLUICE_ALLOW_PROGRAMS, else none; on the embedded server all)
    #[arg(long, value_name = "PATH:...")]
    pub(crate) allow_programs: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// Do everything, roll it back, and say what would have changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// List so many changed rows of a dry run, cell by cell; with --json, all
    #[arg(long, value_name = "N", default_value = "20", requires = "dry_run", value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) changes: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice backfill orders --from 2026-01-01T00:00:00Z --to 2026-01-31T23:59:59Z
  sluice backfill orders --objects 'drop/2026-01-*.csv'
  sluice backfill orders                   list the backfills of this pipeline

The same range again goes on where it was broken off. The last line on stdout is the summary, as
of sluice run.")]
#[command(group(clap::ArgGroup::new("range").args(["from", "to", "objects"]).multiple(true)))]
pub(crate) struct Backfill {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Begin with this mark (an API with since, a table with a cursor)
    #[arg(long, value_name = "MARK")]
    pub(crate) from: Option<String>,
    /// End with this mark, it included
    #[arg(long, value_name = "MARK")]
    pub(crate) to: Option<String>,
    /// Load these files or objects: a name or a glob
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["from", "to"])]
    pub(crate) objects: Option<String>,
    /// Load the range once more from its start
    #[arg(long, requires = "range", conflicts_with = "dry_run")]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) loading: Loading,
}
