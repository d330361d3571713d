//! The engine's functions without the loader: batches run by hand, in plain SQL.

mod amend;
mod backfill;
mod compare;
mod constraints;
mod define_pipeline;
mod drop_pipeline;
mod hashing;
mod http_source;
mod install;
mod interface;
mod known;
mod load_batch;
mod preview_rewind;
mod prune;
mod quarantine;
mod raw_records;
mod reload;
mod reload_histories;
mod replay;
mod replay_histories;
mod retry_orphans;
mod rewind;
mod roles;
mod skip;
mod snapshot;
mod status;
pub(crate) mod support;
mod tombstones;
mod transform_batch;
mod verify;
mod why;

use support::{Hand, Problem, items, problem};
