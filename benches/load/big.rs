//! Does a batch cost more when the target is larger?

use crate::Failure;
use crate::cases::{Bench, DATABASE, check_summary};
use crate::files;
use crate::orders::COLUMNS;
use crate::table::aligned;

const SMALL_ROWS: u64 = 100_000;
const BATCHES: u64 = 10;
const BATCH_ROWS: u64 = 10_000;

/// Loads random updates, then the same again, into a small and into a large target.
pub(crate) fn measure(bench: &mut Bench) -> Result<String, Failure> {
    let mut rows =
        vec![["a batch of 10,000", "target rows", "ms", "WAL MB"].map(str::to_owned).to_vec()];
    for target in [SMALL_ROWS, bench.args.big_rows] {
        eprintln!("big: target of {target} rows");
        bench.fresh()?;
        fill(bench, target)?;
        // Warm-up, of other rows as far as there are enough: catalogs, plans, free space.
        load(bench, target, 0, false)?;
        let updates = load(bench, target, 1, false)?;
        let again = load(bench, target, 1, true)?;
        for (what, (ms, wal)) in [("updates", updates), ("the same again", again)] {
            rows.push(vec![
                what.to_owned(),
                target.to_string(),
                format!("{ms:.1}"),
                format!("{wal:.2}"),
            ]);
        }
    }
    Ok(aligned(&rows))
}

/// Rows that are older than any order, and without a hash: every order updates them.
fn fill(bench: &Bench, rows: u64) -> Result<(), Failure> {
    let insert = format!(
        "insert into bench.orders ({COLUMNS})
         select n, n % 50000, n % 500000, 'packed', 'EUR', n % 9, 'customer.' || n % 50000 || '@example.com',
           'leave at the second floor', '2019-01-01', '2019-01-01'
         from generate_series(1, {rows}) n"
    );
    bench.cluster.query(DATABASE, &insert)?;
    Ok(())
}

/// What autovacuum would do some time, so that it does not do it just now, and so that reading
/// does not have to tidy up (which writes WAL).
fn settle(bench: &Bench) -> Result<(), Failure> {
    bench.cluster.query(DATABASE, "vacuum (analyze) bench.orders")?;
    Ok(())
}

/// One run of some batches: milliseconds and megabytes of WAL a batch.
fn load(bench: &Bench, target: u64, series: u64, is_again: bool) -> Result<(f64, f64), Failure> {
    let count = BATCHES * BATCH_ROWS;
    let name = format!("updates-{target}-{series}-{is_again}.ndjson");
    let path = bench.cluster.folder.join(name);
    files::write_updates(&path, count, target, series)?;
    settle(bench)?;
    let mut command = bench.load(&path);
    command.args(["--batch-rows", &BATCH_ROWS.to_string()]);
    let (finished, sample) = bench.measure(command, None)?;
    let done = if is_again { "unchanged" } else { "updated" };
    check_summary(
        &finished.stdout,
        &[("extracted", count), ("transformed", count), (done, count)],
    )?;
    Ok((sample.seconds * 1000.0 / BATCHES as f64, sample.wal_bytes as f64 / 1e6 / BATCHES as f64))
}
