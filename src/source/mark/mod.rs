//! High-water marks: values of a source by which "newer" is told, kept and sent as they were
//! written, compared by what they mean.

mod decimal;
mod time;

use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

pub(in crate::source) use decimal::Decimal;
pub(in crate::source) use time::Time;

/// What the values of a mark are, and so how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum Kind {
    #[default]
    Timestamp,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    Number,
    Text,
}

impl Kind {
    /// The value as it is kept, if it is one of this kind.
    pub(in crate::source) fn read(self, text: &str) -> Option<String> {
        let is_sound = match self {
            Kind::Timestamp => match httpdate::parse_http_date(text) {
                Ok(time) => return Some(Time::at(time).to_string()),
                Err(_) => Time::parse(text).is_some(),
            },
            Kind::Unix | Kind::UnixMs | Kind::Number => Decimal::parse(text).is_some(),
            Kind::Text => !text.is_empty(),
        };
        is_sound.then(|| text.to_owned())
    }

    pub(in crate::source) fn order(self, a: &str, b: &str) -> Ordering {
        match self {
            Kind::Timestamp => match (Time::parse(a), Time::parse(b)) {
                (Some(a), Some(b)) => a.order(&b),
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            Kind::Unix | Kind::UnixMs | Kind::Number => Decimal::parse(a).cmp(&Decimal::parse(b)),
            Kind::Text => a.cmp(b),
        }
    }

    /// A mark in the future, which would hide all that comes before it, is not believed.
    pub(in crate::source) fn not_after(self, mark: String, now: SystemTime) -> String {
        let seconds = Time::at(now).unix_seconds();
        let limit = match self {
            Kind::Timestamp => {
                let Some(time) = Time::parse(&mark) else {
                    return mark;
                };
                return match time.unix_seconds() > seconds {
                    true => Time::at(now).to_string(),
                    false => mark,
                };
            }
            Kind::Unix => seconds,
            Kind::UnixMs => seconds.saturating_mul(1000),
            Kind::Number | Kind::Text => return mark,
        };
        match self.order(&mark, &limit.to_string()) {
            Ordering::Greater => limit.to_string(),
            _ => mark,
        }
    }

    pub(in crate::source) fn minus(self, mark: &str, lag: u64) -> String {
        let number = |lag: u64| match mark.parse::<i128>() {
            Ok(mark) => Some((mark.saturating_sub(i128::from(lag))).to_string()),
            // A fraction is less than the lag's unit, and earlier is always safe.
            Err(_) => mark
                .split(['.', 'e', 'E'])
                .next()?
                .parse::<i128>()
                .ok()
                .map(|mark| (mark.saturating_sub(i128::from(lag))).to_string()),
        };
        match self {
            _ if lag == 0 => mark.to_owned(),
            Kind::Timestamp => Time::parse(mark).map_or_else(
                || mark.to_owned(),
                |time| time.minus(Duration::from_secs(lag)).to_string(),
            ),
            Kind::Unix => number(lag).unwrap_or_else(|| mark.to_owned()),
            Kind::UnixMs => number(lag.saturating_mul(1000)).unwrap_or_else(|| mark.to_owned()),
            Kind::Number | Kind::Text => mark.to_owned(),
        }
    }
}
