//! As much HTTP/1.1 as clients of object stores speak.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::ops::Range;

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The next request, none at the end of the connection.
    pub(super) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let method = words.next()?.to_owned();
        let target = words.next()?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = Request {
            method,
            path: decoded(path),
            query: query
                .map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))))
                .collect(),
            headers,
        };
        let length = request.header("content-length");
        let length = length.and_then(|text| text.parse().ok()).unwrap_or(0);
        io::copy(&mut reader.take(length), &mut io::sink()).ok()?;
        Some(request)
    }

    pub(super) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(found.1.clone())
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        let found = self.query.iter().find(|(known, _)| known == name)?;
        Some(found.1.clone())
    }

    pub(super) fn range(&self) -> Option<Range<u64>> {
        let text = self.header("range")?;
        let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
        Some(from.parse().unwrap()..to.parse::<u64>().map_or(u64::MAX, |last| last + 1))
    }
}

pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Answer { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn part(bytes: &[u8], range: &Range<u64>, size: u64) -> Self {
        let mut answer = Self::ok(bytes);
        answer.status = 206;
        let range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        answer.with("Content-Range", &range)
    }

    pub(super) fn refusal(status: u16, code: &str) -> Self {
        let mut answer = Self::ok(format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wants it</Message>\
             <AWSAccessKeyId>AKIAEXAMPLE</AWSAccessKeyId></Error>"
        ));
        answer.status = status;
        answer
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes it, but no more than `cut` bytes of its body.
    pub(super) fn write(
        &self,
        mut stream: &TcpStream,
        method: &str,
        cut: Option<usize>,
    ) -> io::Result<()> {
        let mut head =
            format!("HTTP/1.1 {} Test\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head += "\r\n";
        stream.write_all(head.as_bytes())?;
        if method == "HEAD" {
            return Ok(());
        }
        stream.write_all(&self.body[..cut.unwrap_or(usize::MAX).min(self.body.len())])
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' && tail.len() >= 2 {
            let hex = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\u{1}', "&#x1;")
        .replace('\n', "&#10;")
}

/// Year, month, day, hour, minute, second, and days since the epoch.
fn parts(seconds: u64) -> (u64, u64, u64, u64, u64, u64, u64) {
    let days = seconds / 86_400;
    let of_day = seconds % 86_400;
    // Civil date from days, counted in years that begin in March.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60, days)
}

pub(super) fn iso_time(seconds: u64) -> String {
    let (year, month, day, hour, minute, second, _) = parts(seconds);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

pub(super) fn http_time(seconds: u64) -> String {
    let (year, month, day, hour, minute, second, days) = parts(seconds);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let month =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            [(month - 1) as usize];
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}
