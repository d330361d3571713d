//! Files of orders, summed while they are written, so that what arrives in a table can be compared.

use crate::orders::{COLUMNS, Order};
use crate::sums::Sums;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// One record in so many is changed, or bad.
pub(crate) const ONE_IN: u64 = 100;

/// How a file's records differ from the orders themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Plain,
    /// One in a hundred has another amount and a later `updated_at`.
    Changed,
    /// One in a hundred lacks its key, or has an amount or a date that is none.
    Bad,
}

/// What a file's records are written as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Ndjson,
    /// With a header.
    Csv,
}

/// Writes orders 1 to `rows`. The sums are those of the good ones.
pub(crate) fn write(path: &Path, rows: u64, format: Format, variant: Variant) -> io::Result<Sums> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    if format == Format::Csv {
        writeln!(out, "{COLUMNS}")?;
    }
    let mut sums = Sums::default();
    for id in 1..=rows {
        let mut order = Order::new(id);
        let is_chosen = id % ONE_IN == ONE_IN / 2;
        let fault = (is_chosen && variant == Variant::Bad).then_some(id / ONE_IN);
        if is_chosen && variant == Variant::Changed {
            order.change();
        }
        if fault.is_none() {
            sums.add(&order);
        }
        match format {
            Format::Ndjson => order.write_json(&mut out, fault)?,
            Format::Csv => order.write_csv(&mut out, fault)?,
        }
    }
    out.flush()?;
    Ok(sums)
}

/// How many of `rows` are changed in `Changed`, and bad in `Bad`.
pub(crate) fn chosen(rows: u64) -> u64 {
    (rows + ONE_IN / 2) / ONE_IN
}

/// Writes `count` orders as NDJSON, spread all over 1 to `of`, none twice; a later `series`
/// holds newer versions.
pub(crate) fn write_updates(path: &Path, count: u64, of: u64, series: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for draw in series * count..(series + 1) * count {
        // Steps of a prime, around and around.
        let mut order = Order::new(1 + draw * 7_368_787 % of);
        for _ in 0..=series {
            order.change();
        }
        order.write_json(&mut out, None)?;
    }
    out.flush()
}

/// Writes orders as NDJSON until there are `bytes`; says how many.
pub(crate) fn stream_ndjson(out: impl Write, bytes: u64) -> io::Result<u64> {
    let mut out = Counting { inner: BufWriter::with_capacity(1 << 16, out), written: 0 };
    let mut id = 0;
    while out.written < bytes {
        id += 1;
        Order::new(id).write_json(&mut out, None)?;
    }
    out.flush()?;
    Ok(id)
}

struct Counting<W> {
    inner: W,
    written: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
