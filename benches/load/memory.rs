//! What the client needs when the input is large.

use crate::Failure;
use crate::cases::{Bench, check_summary};
use crate::files;
use std::path::Path;
use std::sync::mpsc;

/// Streams NDJSON through standard input and reports the peak memory.
pub(crate) fn measure(bench: &mut Bench) -> Result<String, Failure> {
    eprintln!("memory: {} MB through standard input", bench.args.memory_bytes() / 1_000_000);
    bench.fresh()?;
    let bytes = bench.args.memory_bytes();
    let (say, written) = mpsc::channel();
    let feed = Box::new(move |stdin| {
        let _ = say.send(files::stream_ndjson(stdin, bytes).map_err(|error| error.to_string()));
    });
    let (finished, sample) = bench.measure(bench.load(Path::new("-")), Some(feed))?;
    let rows = written.recv()??;
    let expected = ["extracted", "transformed", "inserted"].map(|name| (name, rows));
    check_summary(&finished.stdout, &expected)?;
    Ok(format!(
        "memory: {rows} records, {} MB through standard input in {:.1} s: sluice peaked at {}",
        bytes / 1_000_000,
        sample.seconds,
        sample
            .peak_kib
            .map_or("(unknown)".to_owned(), |kib| format!("{:.1} MB", kib as f64 / 1024.0)),
    ))
}
