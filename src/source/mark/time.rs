//! Points in time as sources write them (RFC 3339 and its relatives), compared and moved
//! without losing a digit or the way they are written.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A point in time and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    /// By the clock that wrote it, to the second.
    local: DateTime,
    /// How far that clock is ahead of UTC.
    offset_seconds: i64,
    /// Digits behind the second, as written.
    fraction: String,
    /// What separates date and time; none if there is only a date.
    separator: Option<char>,
    /// `Z`, `+02:00` or nothing, as written.
    zone: String,
}

impl Time {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i16> {
            let digits = text.get(from..to)?;
            let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            all_digits.then(|| digits.parse().ok()).flatten()
        };
        let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        if !(is(4, b'-') && is(7, b'-')) {
            return None;
        }
        let date = Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        let mut time = Time {
            local: date.to_datetime(jiff::civil::Time::midnight()),
            offset_seconds: 0,
            fraction: String::new(),
            separator: None,
            zone: String::new(),
        };
        let Some(&separator) = bytes.get(10) else {
            return Some(time);
        };
        if !matches!(separator, b'T' | b't' | b' ') || !is(13, b':') {
            return None;
        }
        time.separator = Some(char::from(separator));
        let (hour, minute) = (number(11, 13)?, number(14, 16)?);
        let (second, mut rest) = match is(16, b':') {
            true => (number(17, 19)?, &text[19..]),
            false => (0, &text[16..]),
        };
        if hour > 24 || minute > 59 || second > 60 {
            return None;
        }
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        time.local = time.local.saturating_add(SignedDuration::from_secs(of_day));
        if let Some(digits) = rest.strip_prefix(['.', ',']) {
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            time.fraction = digits[..end].to_owned();
            rest = &digits[end..];
        }
        time.offset_seconds = offset(rest.trim_start())?;
        time.zone = rest.to_owned();
        Some(time)
    }

    /// In UTC and whole seconds.
    pub(crate) fn at(time: SystemTime) -> Self {
        let time = Timestamp::try_from(time).unwrap_or_default();
        let local = Offset::UTC.to_datetime(time);
        Time {
            local: local.with().subsec_nanosecond(0).build().unwrap_or(local),
            offset_seconds: 0,
            fraction: String::new(),
            separator: Some('T'),
            zone: "Z".to_owned(),
        }
    }

    /// This much earlier, written in the same way.
    pub(crate) fn minus(mut self, lag: Duration) -> Self {
        self.local = self.local.saturating_sub(lag);
        self
    }

    /// This much later, written in the same way.
    pub(crate) fn plus(mut self, step: Duration) -> Self {
        self.local = self.local.saturating_add(step);
        self
    }

    /// Seconds since 1970, UTC, without the fraction.
    pub(crate) fn unix_seconds(&self) -> i64 {
        let since = self.local.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        since.as_secs().saturating_sub(self.offset_seconds)
    }

    /// The moment, rounded down to the nanosecond.
    pub(crate) fn moment(&self) -> Option<Timestamp> {
        let digits = format!("{:0<9.9}", self.fraction);
        Timestamp::new(self.unix_seconds(), 0)
            .ok()?
            .checked_add(SignedDuration::from_nanos(digits.parse().ok()?))
            .ok()
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let fraction = |time: &Time| time.fraction.trim_end_matches('0').to_owned();
        (self.unix_seconds(), fraction(self)).cmp(&(other.unix_seconds(), fraction(other)))
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let local = &self.local;
        let (year, month, day) = (local.year(), local.month(), local.day());
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        let Some(separator) = self.separator else {
            return Ok(());
        };
        let (hour, minute, second) = (local.hour(), local.minute(), local.second());
        write!(f, "{separator}{hour:02}:{minute:02}:{second:02}")?;
        if !self.fraction.is_empty() {
            write!(f, ".{}", self.fraction)?;
        }
        f.write_str(&self.zone)
    }
}

/// Seconds that a zone is ahead of UTC; without a zone it is UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || matches!(zone, "Z" | "z" | "UTC") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits[2..].parse().unwrap_or(0);
    Some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_is_written_back_as_it_was() {
        for text in [
            "2026-03-01T08:00:00Z",
            "2024-02-29T23:59:59.123456789+05:30",
            "2026-03-01 08:00:00",
            "1969-12-31T00:00:00-0800",
            "2026-03-01",
            "2000-12-31t01:02:03.5z",
            "2026-01-01T00:00:00 UTC",
            "2026-01-01T00:00:00+02",
        ] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-31",
            "2025-02-29T00:00:00Z",
            "2026-01-01X00:00:00",
            "2026-01-01T00:00:00 CET",
            "2026-01-01T25:00:00Z",
            "1700000000",
            "äöü-01-01",
            "2026-01-0é",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_that_of_the_instants() {
        let order = |a: &str, b: &str| Time::parse(a).unwrap().order(&Time::parse(b).unwrap());
        assert_eq!(order("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"), Ordering::Less);
        assert_eq!(
            order("2026-01-01T00:00:00.9999999Z", "2026-01-01T00:00:00.99999990Z"),
            Ordering::Equal
        );
        assert_eq!(order("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"), Ordering::Equal);
        assert_eq!(order("2026-01-01T00:00:00-01:00", "2026-01-01T00:30:00Z"), Ordering::Greater);
        assert_eq!(order("2026-01-02", "2026-01-01T23:59:59Z"), Ordering::Greater);
    }

    #[test]
    fn lag_moves_it_back_over_days_and_years() {
        let minus = |text: &str, seconds| {
            Time::parse(text).unwrap().minus(Duration::from_secs(seconds)).to_string()
        };
        assert_eq!(minus("2026-01-01T00:00:00.25+01:00", 1), "2025-12-31T23:59:59.25+01:00");
        assert_eq!(minus("2024-03-01", 86_400), "2024-02-29");
        assert_eq!(minus("2026-03-01 08:00:00", 300), "2026-03-01 07:55:00");
    }

    #[test]
    fn a_moment_is_never_later_than_what_was_written() {
        let moment = |text: &str| Time::parse(text).unwrap().moment().unwrap().to_string();
        for (text, expected) in [
            ("2026-03-01T08:00:00.9999999999+01:00", "2026-03-01T07:00:00.999999999Z"),
            ("1969-12-31", "1969-12-31T00:00:00Z"),
            ("2038-01-19T24:00", "2038-01-20T00:00:00Z"),
        ] {
            assert_eq!(moment(text), expected);
        }
        assert_eq!(Time::parse("1969-12-31T23:59:59Z").unwrap().unix_seconds(), -1);
    }
}
