//! The orders: made from their number alone, so that every machine loads the same ones, and
//! summed while they are written, so that what arrives in a table can be compared.

use crate::sums::Sums;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const STATUS: [&str; 5] = ["new", "paid", "packed", "shipped", "returned"];
const CURRENCY: [&str; 4] = ["EUR", "USD", "GBP", "CHF"];
const NOTE: [&str; 16] = [
    "leave",
    "at",
    "the",
    "door,",
    "please",
    "call",
    "gift",
    "wrap",
    "fragile",
    "\"urgent\"",
    "café",
    "back",
    "entrance",
    "second",
    "floor",
    "office",
];
/// 2020-01-01 00:00 UTC.
const START: i64 = 1_577_836_800;
/// One record in so many is changed, or bad.
pub(crate) const ONE_IN: u64 = 100;
/// The thirtieth of February.
const NO_DATE: &str = "2024-02-30";

/// How a file's records differ from the orders themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Plain,
    /// One in a hundred has another amount and a later `updated_at`.
    Changed,
    /// One in a hundred lacks its key, or has an amount or a date that is none.
    Bad,
}

/// One order.
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) customer: u64,
    pub(crate) cents: u64,
    pub(crate) status: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) qty: u64,
    pub(crate) email: String,
    pub(crate) note: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// splitmix64
fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<const N: usize>(words: &[&'static str; N], number: u64) -> &'static str {
    words[(number % N as u64) as usize]
}

impl Order {
    fn new(id: u64) -> Self {
        let dice = scramble(id);
        let customer = 1 + dice % 50_000;
        let created = START + (id as i64) * 97;
        let words = scramble(dice);
        Order {
            id,
            customer,
            cents: 100 + (dice >> 17) % 500_000,
            status: pick(&STATUS, dice >> 5),
            currency: pick(&CURRENCY, dice >> 9),
            qty: 1 + (dice >> 13) % 9,
            email: format!("customer.{customer}@example.com"),
            note: (0..6)
                .map(|place| pick(&NOTE, words >> (place * 4)))
                .collect::<Vec<_>>()
                .join(" "),
            created,
            updated: created + ((dice >> 40) % 86_400) as i64,
        }
    }

    fn change(&mut self) {
        self.cents += 1;
        self.updated += 86_400;
    }

    fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_json_with(
            out,
            &format!("\"order_id\":{},", self.id),
            &self.amount(),
            &date(self.created),
        )
    }

    fn write_bad_json(&self, out: &mut impl Write, kind: u64) -> io::Result<()> {
        let key = format!("\"order_id\":{},", self.id);
        match kind % 3 {
            0 => self.write_json_with(out, "", &self.amount(), &date(self.created)),
            1 => self.write_json_with(out, &key, "\"12,50\"", &date(self.created)),
            _ => self.write_json_with(out, &key, &self.amount(), NO_DATE),
        }
    }

    fn write_json_with(
        &self,
        out: &mut impl Write,
        key: &str,
        amount: &str,
        day: &str,
    ) -> io::Result<()> {
        writeln!(
            out,
            "{{{key}\"customer_id\":{},\"amount\":{amount},\"status\":\"{}\",\"currency\":\"{}\",\"qty\":{},\
             \"email\":\"{}\",\"note\":\"{}\",\"created_at\":\"{day}T{}Z\",\"updated_at\":\"{}T{}Z\"}}",
            self.customer,
            self.status,
            self.currency,
            self.qty,
            self.email,
            self.note.replace('"', "\\\""),
            time(self.created),
            date(self.updated),
            time(self.updated),
        )
    }

    fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_csv_with(
            out,
            &self.id.to_string(),
            &self.amount(),
            &date(self.created),
        )
    }

    /// What `write_bad_json` writes, as CSV.
    fn write_bad_csv(&self, out: &mut impl Write, kind: u64) -> io::Result<()> {
        let key = self.id.to_string();
        match kind % 3 {
            0 => self.write_csv_with(out, "", &self.amount(), &date(self.created)),
            1 => self.write_csv_with(out, &key, "\"12,50\"", &date(self.created)),
            _ => self.write_csv_with(out, &key, &self.amount(), NO_DATE),
        }
    }

    fn write_csv_with(
        &self,
        out: &mut impl Write,
        key: &str,
        amount: &str,
        day: &str,
    ) -> io::Result<()> {
        writeln!(
            out,
            "{key},{},{amount},{},{},{},{},\"{}\",{day}T{}Z,{}T{}Z",
            self.customer,
            self.status,
            self.currency,
            self.qty,
            self.email,
            self.note.replace('"', "\"\""),
            time(self.created),
            date(self.updated),
            time(self.updated),
        )
    }

    fn amount(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

fn time(epoch: i64) -> String {
    let second = epoch.rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Days since 1970 to a date, by the 400-year cycle of the calendar counted from March.
fn date(epoch: i64) -> String {
    let days = epoch.div_euclid(86_400) + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (
        day - (153 * month + 2) / 5 + 1,
        if month < 10 { month + 3 } else { month - 9 },
    );
    let year = year + cycle * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
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
        if is_chosen && variant == Variant::Bad {
            match format {
                Format::Ndjson => order.write_bad_json(&mut out, id / ONE_IN)?,
                Format::Csv => order.write_bad_csv(&mut out, id / ONE_IN)?,
            }
            continue;
        }
        if is_chosen && variant == Variant::Changed {
            order.change();
        }
        sums.add(&order);
        match format {
            Format::Ndjson => order.write_json(&mut out)?,
            Format::Csv => order.write_csv(&mut out)?,
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
        order.write_json(&mut out)?;
    }
    out.flush()
}

/// Writes orders as NDJSON until there are `bytes`; says how many.
pub(crate) fn stream_ndjson(out: impl Write, bytes: u64) -> io::Result<u64> {
    let mut out = Counting {
        inner: BufWriter::with_capacity(1 << 16, out),
        written: 0,
    };
    let mut id = 0;
    while out.written < bytes {
        id += 1;
        Order::new(id).write_json(&mut out)?;
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

/// The columns in their order.
pub(crate) const COLUMNS: &str =
    "order_id,customer_id,amount,status,currency,qty,email,note,created_at,updated_at";
