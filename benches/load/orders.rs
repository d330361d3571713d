//! The orders: made from their number alone, so that every machine loads the same ones.

use std::io::{self, Write};

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
/// The thirtieth of February.
const NO_DATE: &str = "2024-02-30";

/// The columns in their order.
pub(crate) const COLUMNS: &str =
    "order_id,customer_id,amount,status,currency,qty,email,note,created_at,updated_at";

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
    pub(crate) fn new(id: u64) -> Self {
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

    pub(crate) fn change(&mut self) {
        self.cents += 1;
        self.updated += 86_400;
    }

    pub(crate) fn write_json(&self, out: &mut impl Write, fault: Option<u64>) -> io::Result<()> {
        let (key, amount, day) = self.with_fault(fault);
        let key = key.map_or_else(String::new, |key| format!("\"order_id\":{key},"));
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

    pub(crate) fn write_csv(&self, out: &mut impl Write, fault: Option<u64>) -> io::Result<()> {
        let (key, amount, day) = self.with_fault(fault);
        let key = key.map_or_else(String::new, |key| key.to_string());
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

    /// Key, amount and day. With a fault the key is missing, or the amount or the day is none.
    fn with_fault(&self, fault: Option<u64>) -> (Option<u64>, String, String) {
        let (key, amount, day) = (Some(self.id), self.amount(), date(self.created));
        match fault.map(|kind| kind % 3) {
            None => (key, amount, day),
            Some(0) => (None, amount, day),
            Some(1) => (key, "\"12,50\"".to_owned(), day),
            Some(_) => (key, amount, NO_DATE.to_owned()),
        }
    }

    fn amount(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

fn time(epoch: i64) -> String {
    let second = epoch.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Days since 1970 to a date, by the 400-year cycle of the calendar counted from March.
fn date(epoch: i64) -> String {
    let days = epoch.div_euclid(86_400) + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) =
        (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + cycle * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
