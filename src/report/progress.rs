//! The progress bar.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// The progress bar: on standard error, and only where that is a terminal.
#[derive(Debug, Clone)]
pub struct ProgressDisplay {
    bar: ProgressBar,
    records: Arc<AtomicI64>,
    has_begun: Arc<AtomicBool>,
    /// Others begin and finish it.
    is_part: bool,
}

impl ProgressDisplay {
    /// A bar, or nothing if nobody is looking.
    pub fn new(is_wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(
            None,
            if is_wanted && std::io::stderr().is_terminal() {
                ProgressDrawTarget::stderr_with_hz(8)
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        ProgressDisplay { bar, records: Arc::default(), has_begun: Arc::default(), is_part: false }
    }

    /// Shows nothing.
    pub fn hidden() -> Self {
        ProgressDisplay {
            bar: ProgressBar::hidden(),
            records: Arc::default(),
            has_begun: Arc::default(),
            is_part: false,
        }
    }

    /// For one of several that are counted together.
    pub(crate) fn part(&self) -> Self {
        ProgressDisplay { is_part: true, ..self.clone() }
    }

    /// Names what is running.
    pub fn name(&self, pipeline: &str) {
        self.bar.set_prefix(pipeline.to_owned());
    }

    /// Begins, with the size of the input where it is known.
    pub(crate) fn start(&self, total_bytes: Option<u64>) {
        if self.is_part {
            return;
        }
        let template = match total_bytes {
            Some(total) => {
                self.bar.set_length(total);
                "{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {bytes_per_sec} {eta} left"
            }
            None => "{prefix} {spinner} {bytes} {msg} {bytes_per_sec} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.records.store(0, Ordering::Relaxed);
        self.bar.set_message("0 records");
        self.begin();
    }

    /// Begins with a number of things to look at.
    pub(crate) fn count(&self, things: &'static str, number: usize) {
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta} left")
        {
            self.bar.set_style(style);
        }
        self.bar.set_length(number as u64);
        self.bar.set_message(things);
        self.begin();
    }

    fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
        // One that was finished shows nothing more.
        self.bar.reset();
        self.bar.enable_steady_tick(Duration::from_millis(250));
    }

    /// One of them is done.
    pub(crate) fn counted(&self) {
        self.bar.inc(1);
    }

    /// A batch is committed.
    pub(crate) fn advance(&self, bytes: u64, records: i64) {
        self.bar.inc(bytes);
        let before = self.records.fetch_add(records, Ordering::Relaxed);
        self.bar.set_message(format!("{} records", before + records));
    }

    pub(crate) fn finish(&self) {
        if !self.is_part {
            self.bar.finish_and_clear();
        }
    }

    /// Runs `write` with the bar out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match self.has_begun.load(Ordering::Relaxed) {
            true => self.bar.suspend(write),
            // It would be drawn afterwards.
            false => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_of_one_pipeline_begins_anew_for_the_next() {
        let progress = ProgressDisplay::new(true);
        for total in [Some(10), None] {
            progress.start(total);
            assert!(!progress.bar.is_finished());
            assert_eq!(progress.bar.position(), 0);
            progress.advance(5, 1);
            progress.finish();
        }
    }
}
