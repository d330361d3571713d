//! Arguments of the commands about deliveries.

use super::loading::Host;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice deliver orders
  sluice deliver --all --workers 8
  sluice deliver orders --all-rows         fill an endpoint that is new
  sluice deliver orders --target shop.order_lines

The last line on stdout of each pipeline is its summary, stable key=value:
  orders delivered sent=120 filtered=0 superseded=3 dead=1 waiting=0 retried=2 seconds=1.4
Rows of further targets have a line of their own behind it, which ends in target=shop.order_lines.
Killed anywhere, run it again: what may have arrived is repeated with the same idempotency key.")]
pub(crate) struct Deliver {
    /// Pipelines, one after the other
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Send what every pipeline that delivers has to send
    #[arg(long)]
    pub(crate) all: bool,
    /// Send rows of this target only, not of every one that delivers
    #[arg(long, conflicts_with = "all", value_name = "TABLE")]
    pub(crate) target: Option<String>,
    /// Send every row that the pipeline has loaded, not only what is new
    #[arg(long, conflicts_with = "all")]
    pub(crate) all_rows: bool,
    /// Have so many requests on their way at a time, never two of one key
    #[arg(long, value_name = "K", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) workers: u8,
    /// Depose a sender that holds the deliveries, even a living one
    #[arg(long)]
    pub(crate) takeover: bool,
    /// Take a sender for hung after so many silent seconds, 3 at least
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(3..))]
    pub(crate) stale_after: u64,
    /// Retry passing failures so often without progress
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) retries: u32,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice deliveries orders
  sluice deliveries orders --dead --json   with requests and answers")]
pub(crate) struct Deliveries {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Only those that were refused
    #[arg(long)]
    pub(crate) dead: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice redeliver orders                  all that are dead
  sluice redeliver orders --ids 7,9")]
pub(crate) struct Redeliver {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Only these deliveries
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) ids: Option<Vec<i64>>,
}
