//! Every option of every command. Help texts are in the imperative, with the default last.

mod retained;

pub(super) use retained::{Batches, Compare, Prune, Reload, Why};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// SQL-first ETL for Postgres: raw payloads in, exactly-once effect out.
#[derive(Debug, Parser)]
#[command(
    name = "sluice",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  sluice demo                              see it work, nothing to set up
  sluice migrate                           install the engine into your database
  sluice apply pipelines/                  define pipelines from SQL files
  sluice run orders                        load what is new
  sluice quarantine orders --by-error      see what was set aside, and why

Connection: --database-url, else DATABASE_URL, else libpq's PG* variables, PGSERVICE and
~/.pgpass. With none of them set an embedded server is started under .sluice/.

Exit codes: 0 ok, 1 failed, 2 usage or definition, 3 bad-record threshold crossed, 4 another run
holds the pipeline, 75 retries exhausted (safe to run again), 130/143 interrupted."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    /// Connect to this database (default: DATABASE_URL, PG* variables, or the embedded server)
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,

    /// Write logs as text or as one JSON object a line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,

    /// Log more: -v what is done, -vv how (RUST_LOG overrides it)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// See the main job on real data, on a Postgres that starts by itself
    Demo(Demo),
    /// Install or upgrade the engine in the database
    Migrate(Migrate),
    /// Run pipeline definitions, each file in one transaction
    Apply(Apply),
    /// Load what is new, batch by batch
    Run(Run),
    /// Show each pipeline and how its last run went
    Status(Reporting),
    /// Show the records a pipeline set aside
    Quarantine(Quarantine),
    /// Put quarantined records through the transform again
    Replay(Replay),
    /// Correct the payload of a quarantined record
    Amend(Amend),
    /// Close quarantined records for good, with a reason
    Discard(Discard),
    /// Set a pipeline's cursor back; what follows is read again, unchanged rows are skipped
    Rewind(Rewind),
    /// Pass over a file, an object or a page that cannot be read
    Skip(Skip),
    /// Load a past range beside the live cursor, without overwriting newer rows
    Backfill(Backfill),
    /// Prove it: cursors, books, quarantine, lineage, functions; with --deep every row
    Verify(Verify),
    /// Show the versions of each pipeline's transform, and who activated which
    Versions(Reporting),
    /// Make another version of a pipeline's transform the active one
    Activate(Activate),
    /// Put the retained payloads of batches through the transform again
    Reload(Reload),
    /// Show what two versions of the transform make of the same records
    Compare(Compare),
    /// Show where the row of a key comes from
    Why(Why),
    /// Drop retained payloads that are old enough
    Prune(Prune),
    /// Check connection, rights, versions and settings
    Doctor(Doctor),
    /// Manage the embedded server
    Db {
        #[command(subcommand)]
        command: Db,
    },
    /// Print a completion script for your shell
    #[command(after_help = "Examples:\n  sluice completions bash > /etc/bash_completion.d/sluice")]
    Completions {
        /// Shell to complete for
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sluice demo\n  sluice db psql       look around afterwards")]
pub(super) struct Demo {}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice migrate
  sluice migrate --dry-run > sluice.sql    the SQL, for a DBA to read and to run with psql")]
pub(super) struct Migrate {
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice apply orders.sql
  sluice apply pipelines/                  every .sql file of the folder, in name order")]
pub(super) struct Apply {
    /// Files, or folders of .sql files
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(super) paths: Vec<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice run orders
  sluice run --all --log-format json
  sluice run orders --dry-run              everything for real, then rolled back
  zcat dump.ndjson.gz | sluice run orders --path -

The last line on stdout of each pipeline's run is its summary, stable key=value:
  orders ok extracted=336776 transformed=336770 filtered=0 quarantined=6 inserted=336700 ...")]
pub(super) struct Run {
    /// Pipelines, run one after the other
    #[arg(
        required_unless_present = "all",
        conflicts_with = "all",
        value_name = "PIPELINE"
    )]
    pub(super) pipelines: Vec<String>,
    /// Run every pipeline, in the order of their definition
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) loading: Loading,
    /// Delete or mark at most this share of the rows as missing (default: the pipeline's max_delete_ratio)
    #[arg(long, value_name = "0..1", value_parser = ratio)]
    pub(super) max_delete_ratio: Option<f64>,
    /// Take the source for ndjson, json, csv or tsv (default: the pipeline's, or by its name)
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<String>,
    /// Read from here instead of the pipeline's own path (- for standard input)
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<String>,
}

/// How to load.
#[derive(Debug, Args)]
pub(super) struct Loading {
    /// Close a batch after so many records (default: the pipeline's, or 20000)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) batch_rows: Option<u32>,
    /// Close a batch after so many payload bytes (default: the pipeline's, or 8388608)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(super) batch_bytes: Option<u32>,
    /// Stage so many batches side by side, each on a connection of its own
    #[arg(long, value_name = "K", default_value = "3", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) workers: u8,
    /// Stop after so many batches
    #[arg(long, value_name = "N")]
    pub(super) max_batches: Option<u64>,
    #[command(flatten)]
    pub(super) dry: DryRun,
    /// Depose a run that holds the pipeline, even a living one
    #[arg(long)]
    pub(super) takeover: bool,
    /// Take a run that holds the pipeline for hung after so many silent seconds, 3 at least
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(3..))]
    pub(super) stale_after: u64,
    /// Retry passing failures so often in all
    #[arg(long, value_name = "N", default_value = "20")]
    pub(super) retries: u32,
    /// Stop at this share of bad records (default: the pipeline's max_bad_ratio)
    #[arg(long, value_name = "0..1", value_parser = ratio)]
    pub(super) max_bad_ratio: Option<f64>,
    /// Report as JSON, one object a pipeline (a dry run: and one before it for each changed row)
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DryRun {
    /// Do everything, roll it back, and say what would have changed
    #[arg(long)]
    pub(super) dry_run: bool,
    /// List so many changed rows of a dry run, cell by cell; with --json, all
    #[arg(long, value_name = "N", default_value = "20", requires = "dry_run", value_parser = clap::value_parser!(i64).range(0..))]
    pub(super) changes: i64,
}

/// Which quarantined records; all open ones of the pipeline where neither is given.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Only records that meet this condition on sluice.quarantine_open_details
    #[arg(long = "where", value_name = "SQL")]
    pub(super) filter: Option<String>,
    /// Only these records (ids as in sluice quarantine)
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(super) ids: Option<Vec<i64>>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice replay orders --version 3 --where \"sqlstate = '22P02'\"
  sluice replay orders --dry-run           what would change, cell by cell

What loads is closed and names its batch; what is still bad stays, with its new error. An older
record never overwrites a newer row.")]
pub(super) struct Replay {
    /// The pipeline
    pub(super) pipeline: String,
    #[command(flatten)]
    pub(super) which: Which,
    /// Use this version of the transform (default: the active one)
    #[arg(long, value_name = "N")]
    pub(super) version: Option<i32>,
    /// Load records also where the row in the target may be newer
    #[arg(long)]
    pub(super) overwrite_unsure: bool,
    /// Commit after so many records
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(i32).range(1..))]
    pub(super) batch_rows: i32,
    #[command(flatten)]
    pub(super) dry: DryRun,
    /// Retry passing failures so often in all
    #[arg(long, value_name = "N", default_value = "20")]
    pub(super) retries: u32,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice amend 17 --reason \"decimal comma\" < corrected.json

The original stays beside the corrected payload. sluice replay loads it.")]
pub(super) struct Amend {
    /// The record (its id in sluice quarantine)
    pub(super) id: i64,
    /// Read the corrected payload from here (- for standard input)
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) payload: String,
    /// Say why
    #[arg(long)]
    pub(super) reason: String,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice discard orders --where \"origin like 'drop/2026-04-%'\" --reason \"sent twice\"
  sluice discard orders --ids 17,18 --reason \"test records\"")]
pub(super) struct Discard {
    /// The pipeline
    pub(super) pipeline: String,
    #[command(flatten)]
    pub(super) which: Which,
    /// Say why
    #[arg(long)]
    pub(super) reason: String,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sluice status\n  sluice versions orders --json")]
pub(super) struct Reporting {
    /// Only this pipeline (default: all)
    pub(super) pipeline: Option<String>,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice verify
  sluice verify orders --deep > proof.txt  a report fit to file

Exits with 1 when a check fails. Runs may go on meanwhile: every check sees the same moment.")]
pub(super) struct Verify {
    /// Only this pipeline (default: all)
    pub(super) pipeline: Option<String>,
    /// Count the rows, too, and compute every row's hash again
    #[arg(long)]
    pub(super) deep: bool,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice activate orders 1                 back to version 1, from the next batch on
  sluice versions orders                   which there are")]
pub(super) struct Activate {
    /// The pipeline
    pub(super) pipeline: String,
    /// The version
    pub(super) version: i32,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice quarantine orders --by-error      one line for each kind of error
  sluice quarantine orders --limit 3       the records, with their payloads")]
pub(super) struct Quarantine {
    /// The pipeline
    pub(super) pipeline: String,
    /// Group by error
    #[arg(long)]
    pub(super) by_error: bool,
    /// Show so many records
    #[arg(
        long,
        value_name = "N",
        default_value = "20",
        conflicts_with = "by_error"
    )]
    pub(super) limit: i64,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice rewind orders --to-batch 812      read again what came after batch 812
  sluice rewind orders --to-time '2026-03-01 06:00+00'
  sluice rewind orders --to-start          read everything again
  sluice rewind orders --to-start --dry-run
                                           only show what would be read again
  sluice rewind orders --object drop/a.csv read one file again")]
pub(super) struct Rewind {
    /// The pipeline
    pub(super) pipeline: String,
    #[command(flatten)]
    pub(super) goal: RewindGoal,
    /// Show the batches that would be read again, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct RewindGoal {
    /// Back to the very start
    #[arg(long)]
    pub(super) to_start: bool,
    /// Back to the end of this batch (batch_id in the ledger)
    #[arg(long, value_name = "N")]
    pub(super) to_batch: Option<i64>,
    /// Back to what was committed at this time
    #[arg(long, value_name = "TIME")]
    pub(super) to_time: Option<String>,
    /// Back to the start of this file or object, by the name it was read under
    #[arg(long, value_name = "NAME")]
    pub(super) object: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice skip orders --object drop/bad.csv --reason 'damaged export'
  sluice skip orders --pages 1 --reason 'the API fails on this page'

A file or object that is replaced later is read; sluice rewind orders --object drop/bad.csv takes
the skip back. Pages can be passed over where the source pages by number or by offset.")]
pub(super) struct Skip {
    /// The pipeline
    pub(super) pipeline: String,
    #[command(flatten)]
    pub(super) what: SkipWhat,
    /// Why; it stays in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct SkipWhat {
    /// Take this file or object for done, whether it was begun, or not even found yet
    #[arg(long, value_name = "NAME")]
    pub(super) object: Option<String>,
    /// Go on behind so many pages of an API, the one in hand being the first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(super) pages: Option<i32>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice backfill orders --from 2026-01-01T00:00:00Z --to 2026-01-31T23:59:59Z
  sluice backfill orders --objects 'drop/2026-01-*.csv'
  sluice backfill orders                   list the backfills of this pipeline

The same range again goes on where it was broken off. The last line on stdout is the summary, as
of sluice run.")]
#[command(group(clap::ArgGroup::new("range").args(["from", "to", "objects"]).multiple(true)))]
pub(super) struct Backfill {
    /// The pipeline
    pub(super) pipeline: String,
    /// Begin with this mark (an API with since)
    #[arg(long, value_name = "MARK")]
    pub(super) from: Option<String>,
    /// End with this mark, it included (an API with since)
    #[arg(long, value_name = "MARK")]
    pub(super) to: Option<String>,
    /// Load these files or objects: a name or a glob
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["from", "to"])]
    pub(super) objects: Option<String>,
    /// Load the range once more from its start
    #[arg(long, requires = "range", conflicts_with = "dry_run")]
    pub(super) again: bool,
    #[command(flatten)]
    pub(super) loading: Loading,
}

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Db {
    /// Start the embedded server, making it first if need be
    Start,
    /// Stop it
    Stop,
    /// Print its URL, starting it if need be
    Url,
    /// Open psql on it, starting it if need be
    #[command(
        after_help = "Examples:\n  sluice db psql\n  sluice db psql -- -c 'table sluice.status'"
    )]
    Psql {
        /// Arguments for psql
        #[arg(last = true)]
        args: Vec<String>,
    },
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("a number from 0 to 1, such as 0.05".to_owned()),
    }
}
