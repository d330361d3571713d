//! High-water marks: values of a source by which "newer" is told, kept and sent as they were
//! written, compared by what they mean.

mod decimal;
mod time;

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Deserialize;

pub(crate) use decimal::Decimal;
pub(crate) use time::Time;

/// What kind of values a mark has, and so how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MarkKind {
    #[default]
    Timestamp,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    Number,
    Text,
}

impl MarkKind {
    /// The value as it is kept, if it is one of this kind.
    pub(crate) fn read(self, text: &str) -> Option<String> {
        let is_sound = match self {
            MarkKind::Timestamp => match httpdate::parse_http_date(text) {
                Ok(time) => return Some(Time::at(time).to_string()),
                Err(_) => Time::parse(text).is_some(),
            },
            MarkKind::Unix | MarkKind::UnixMs | MarkKind::Number => Decimal::parse(text).is_some(),
            MarkKind::Text => !text.is_empty(),
        };
        is_sound.then(|| text.to_owned())
    }

    pub(crate) fn order(self, a: &str, b: &str) -> Ordering {
        match self {
            MarkKind::Timestamp => match (Time::parse(a), Time::parse(b)) {
                (Some(a), Some(b)) => a.order(&b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            MarkKind::Unix | MarkKind::UnixMs | MarkKind::Number => {
                Decimal::parse(a).cmp(&Decimal::parse(b))
            }
            MarkKind::Text => a.cmp(b),
        }
    }

    /// A mark in the future is not believed: it would hide all that comes before it.
    pub(crate) fn not_after(self, mark: String, now: SystemTime) -> String {
        let seconds = Time::at(now).unix_seconds();
        let limit = match self {
            MarkKind::Timestamp => {
                let Some(time) = Time::parse(&mark) else {
                    return mark;
                };
                return match time.unix_seconds() > seconds {
                    true => Time::at(now).to_string(),
                    false => mark,
                };
            }
            MarkKind::Unix => seconds,
            MarkKind::UnixMs => seconds.saturating_mul(1000),
            MarkKind::Number | MarkKind::Text => return mark,
        };
        match self.order(&mark, &limit.to_string()) {
            Ordering::Greater => limit.to_string(),
            _ => mark,
        }
    }

    /// A moment as a mark of this kind.
    pub(crate) fn at(self, time: SystemTime) -> String {
        let time = Time::at(time);
        match self {
            MarkKind::Unix => time.unix_seconds().to_string(),
            MarkKind::UnixMs => time.unix_seconds().saturating_mul(1000).to_string(),
            MarkKind::Timestamp | MarkKind::Number | MarkKind::Text => time.to_string(),
        }
    }

    /// So many seconds earlier. What is no time has no seconds.
    pub(crate) fn minus(self, mark: &str, seconds: u64) -> String {
        let earlier = |time: Time| time.minus(Duration::from_secs(seconds));
        self.moved(mark, -i128::from(seconds), earlier)
    }

    /// So many seconds later.
    pub(crate) fn plus(self, mark: &str, seconds: u64) -> String {
        let later = |time: Time| time.plus(Duration::from_secs(seconds));
        self.moved(mark, i128::from(seconds), later)
    }

    fn moved(self, mark: &str, seconds: i128, written: impl Fn(Time) -> Time) -> String {
        let moved = match self {
            _ if seconds == 0 => None,
            MarkKind::Timestamp => Time::parse(mark).map(|time| written(time).to_string()),
            MarkKind::Unix => whole(mark).map(|mark| mark.saturating_add(seconds).to_string()),
            MarkKind::UnixMs => {
                whole(mark).map(|mark| mark.saturating_add(seconds * 1000).to_string())
            }
            MarkKind::Number | MarkKind::Text => None,
        };
        moved.unwrap_or_else(|| mark.to_owned())
    }

    /// The moment that a mark stands for, rounded down to the nanosecond.
    pub(crate) fn moment(self, mark: &str) -> Option<Timestamp> {
        let of_nanoseconds = |unit: i128| {
            let digits = mark.split_once('.').map_or("", |(_, fraction)| fraction);
            let fraction: i128 = format!("{digits:0<9.9}").parse().ok()?;
            let sign = if mark.starts_with('-') { -1 } else { 1 };
            let whole: i128 = mark.split('.').next()?.parse().ok()?;
            let nanoseconds = whole.checked_mul(unit)? + sign * fraction * unit / 1_000_000_000;
            Timestamp::from_nanosecond(nanoseconds).ok()
        };
        match self {
            MarkKind::Timestamp => Time::parse(mark)?.moment(),
            MarkKind::Unix => of_nanoseconds(1_000_000_000),
            MarkKind::UnixMs => of_nanoseconds(1_000_000),
            MarkKind::Number | MarkKind::Text => None,
        }
    }
}

/// The whole number, rounded down: earlier is always safe.
fn whole(mark: &str) -> Option<i128> {
    let (whole, fraction) = mark.split_once('.').unwrap_or((mark, ""));
    let is_less = whole.starts_with('-') && fraction.bytes().any(|digit| digit != b'0');
    let whole: i128 = whole.parse().ok()?;
    Some(whole.saturating_sub(i128::from(is_less)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_their_limits_are_moved_no_further() {
        let (least, most) = (i128::MIN.to_string(), i128::MAX.to_string());
        assert_eq!(MarkKind::Unix.minus(&least, 60), least);
        assert_eq!(MarkKind::UnixMs.plus(&most, 60), most);
        assert_eq!(MarkKind::Unix.minus("-1.5", 60), "-62");
        assert_eq!(MarkKind::Unix.minus("1000.75", 60), "940");
        assert_eq!(MarkKind::Timestamp.plus("2026-02-28", 86_400), "2026-03-01");
    }

    #[test]
    fn marks_stand_for_moments() {
        for (kind, mark, moment) in [
            (MarkKind::Unix, "1772352000.5", "2026-03-01T08:00:00.5Z"),
            (MarkKind::UnixMs, "1772352000123", "2026-03-01T08:00:00.123Z"),
            (MarkKind::Unix, "-0.25", "1969-12-31T23:59:59.75Z"),
            (MarkKind::Timestamp, "2026-03-01 09:00:00+01", "2026-03-01T08:00:00Z"),
        ] {
            assert_eq!(kind.moment(mark).unwrap().to_string(), moment, "{mark}");
        }
        assert_eq!(MarkKind::Number.moment("7"), None);
    }
}
