//! Logs on stderr, as text or JSON, out of the way of the progress bar.

use super::args::LogFormat;
use super::terminal::shown;
use crate::error::{Error, Result};
use crate::report::ProgressDisplay;
use std::io::{self, IsTerminal, Write};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging. Text shows warnings, because the summary tells the rest; JSON, which is
/// for machines, shows every batch.
pub(super) fn start(format: LogFormat, verbose: u8, progress: &ProgressDisplay) -> Result<()> {
    let level = match (verbose, format) {
        (0, LogFormat::Text) => "warn",
        (0, LogFormat::Json) | (1, _) => "info",
        (_, _) => "debug",
    };
    // Libraries are heard only when something is wrong with them.
    let default = format!("warn,pgsluice={level}");
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(&directives).map_err(|error| {
                Error::usage(format!("RUST_LOG \"{directives}\" is not understood"))
                    .caused_by(error)
            })?
        }
        _ => EnvFilter::new(default),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(AroundProgress(progress.clone()));
    match format {
        LogFormat::Json => subscriber.json().init(),
        LogFormat::Text => subscriber
            .with_target(false)
            .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .init(),
    }
    Ok(())
}

/// Writes to stderr with the bar taken away for the moment. A line that cannot be written is given up, as the run
/// matters more, and tracing-subscriber would panic.
#[derive(Clone)]
struct AroundProgress(ProgressDisplay);

impl Write for AroundProgress {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // Only escapes for colours stay: any in what is logged were made visible before.
        let parts = String::from_utf8_lossy(text);
        let shown: Vec<_> = parts.split('\x1b').map(shown).collect();
        let _ = self.0.suspend(|| io::stderr().write_all(shown.join("\x1b").as_bytes()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AroundProgress {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
