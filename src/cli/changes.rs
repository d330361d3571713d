//! Prints what a dry run would change: the first rows for people, every row for machines.

use super::args;
use crate::batch::Change;
use crate::run::ShowChanges;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub(super) struct Shown {
    is_dry: bool,
    as_json: bool,
    most: i64,
    /// Rows shown that would be written.
    count: Arc<AtomicI64>,
}

#[derive(Serialize)]
struct Line<'a> {
    pipeline: &'a str,
    change: &'a Change,
}

impl Shown {
    pub(super) fn new(args: &args::DryRun, as_json: bool) -> Self {
        Shown { is_dry: args.dry_run, as_json, most: args.changes, count: Arc::default() }
    }

    /// Prints each row as it comes.
    pub(super) fn receiver(&self) -> ShowChanges {
        if !self.is_dry {
            return ShowChanges::default();
        }
        let (as_json, count) = (self.as_json, Arc::clone(&self.count));
        ShowChanges {
            most: (!as_json).then_some(self.most),
            show: Arc::new(move |pipeline: &str, change: &Change| {
                if as_json {
                    let line = Line { pipeline, change };
                    println!("{}", serde_json::to_string(&line).unwrap_or_default());
                    return;
                }
                match change.action.as_str() {
                    "stale" | "unsure" => println!("would leave {}", change.line),
                    _ => {
                        count.fetch_add(1, Ordering::Relaxed);
                        println!("would {}", change.line);
                    }
                }
            }),
        }
    }

    /// Says how many of the `written` rows were not shown.
    pub(super) fn finish(&self, written: i64) {
        let more = written - self.count.swap(0, Ordering::Relaxed);
        if self.is_dry && !self.as_json && self.most > 0 && more > 0 {
            println!("... and {more} rows more (--changes N shows more, --json all)");
        }
    }
}
