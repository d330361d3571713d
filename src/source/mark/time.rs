//! Points in time as sources write them (RFC 3339 and its relatives), compared and moved
//! without losing a digit or the way they are written.

use std::cmp::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Time {
    /// Seconds since 1970 by the clock that wrote it.
    local_seconds: i64,
    /// How far that clock is ahead of UTC.
    offset_seconds: i64,
    /// Digits behind the second, as written.
    fraction: String,
    /// What stands between date and time; none if there is only a date.
    separator: Option<char>,
    /// `Z`, `+02:00` or nothing, as written.
    zone: String,
}

impl Time {
    pub(in crate::source) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            all_digits.then(|| digits.parse().ok()).flatten()
        };
        let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let is_date = is(4, b'-') && is(7, b'-');
        if !(is_date && (1..=12).contains(&month) && (1..=31).contains(&day)) {
            return None;
        }
        let mut time = Time {
            local_seconds: days_from_civil(year, month, day) * 86_400,
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
        time.local_seconds += hour * 3600 + minute * 60 + second;
        if let Some(digits) = rest.strip_prefix(['.', ',']) {
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            time.fraction = digits[..end].to_owned();
            rest = &digits[end..];
        }
        time.offset_seconds = offset(rest.trim_start())?;
        time.zone = rest.to_owned();
        Some(time)
    }

    /// Now, in UTC and whole seconds.
    pub(in crate::source) fn at(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Time {
            local_seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            offset_seconds: 0,
            fraction: String::new(),
            separator: Some('T'),
            zone: "Z".to_owned(),
        }
    }

    /// So much earlier, written in the same way.
    pub(in crate::source) fn minus(mut self, lag: Duration) -> Self {
        let lag = i64::try_from(lag.as_secs()).unwrap_or(i64::MAX);
        self.local_seconds = self.local_seconds.saturating_sub(lag);
        self
    }

    /// Seconds since 1970, UTC, without the fraction.
    pub(in crate::source) fn unix_seconds(&self) -> i64 {
        self.local_seconds.saturating_sub(self.offset_seconds)
    }

    pub(in crate::source) fn order(&self, other: &Self) -> Ordering {
        let fraction = |time: &Time| time.fraction.trim_end_matches('0').to_owned();
        (self.unix_seconds(), fraction(self)).cmp(&(other.unix_seconds(), fraction(other)))
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, second) = (
            self.local_seconds.div_euclid(86_400),
            self.local_seconds.rem_euclid(86_400),
        );
        let (year, month, day) = civil_from_days(days);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        let Some(separator) = self.separator else {
            return Ok(());
        };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
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

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant's algorithm).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_of_year + 2) / 5 + 1;
    let month = (month_of_year + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
        assert_eq!(
            order("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
            Ordering::Less
        );
        assert_eq!(
            order(
                "2026-01-01T00:00:00.9999999Z",
                "2026-01-01T00:00:00.99999990Z"
            ),
            Ordering::Equal
        );
        assert_eq!(
            order("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
            Ordering::Equal
        );
        assert_eq!(
            order("2026-01-01T00:00:00-01:00", "2026-01-01T00:30:00Z"),
            Ordering::Greater
        );
        assert_eq!(
            order("2026-01-02", "2026-01-01T23:59:59Z"),
            Ordering::Greater
        );
    }

    #[test]
    fn lag_moves_it_back_over_days_and_years() {
        let minus = |text: &str, seconds| {
            Time::parse(text)
                .unwrap()
                .minus(Duration::from_secs(seconds))
                .to_string()
        };
        assert_eq!(
            minus("2026-01-01T00:00:00.25+01:00", 1),
            "2025-12-31T23:59:59.25+01:00"
        );
        assert_eq!(minus("2024-03-01", 86_400), "2024-02-29");
        assert_eq!(minus("2026-03-01 08:00:00", 300), "2026-03-01 07:55:00");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-03-01", 11_017),
            ("1969-12-31", -1),
            ("2038-01-19", 24_855),
        ] {
            assert_eq!(Time::parse(text).unwrap().unix_seconds(), days * 86_400);
        }
    }
}
