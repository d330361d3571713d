//! The type of a value, by its text. In doubt it is text.

use jiff::civil::{Date, DateTime};

/// What a text can be read as without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ValueKind {
    /// Nothing between the delimiters, or a string without characters.
    Empty,
    /// Digits that fit a bigint, without leading zeros.
    Integer,
    /// Digits with a point, or more of them than fit.
    Decimal,
    /// A JSON number with an exponent.
    Exponent,
    /// Digits with a comma: only a person knows which kind it is.
    Comma,
    Boolean,
    Date,
    /// Date and time without a zone.
    Timestamp,
    /// Date and time with one.
    Instant,
    Uuid,
    /// A JSON object or array.
    Json,
    Text,
}

/// More digits may not fit a bigint.
const BIGINT_DIGITS: usize = 18;

impl ValueKind {
    /// Of the characters of a string or a field.
    pub(super) fn of_text(text: &str) -> ValueKind {
        match text {
            "" => ValueKind::Empty,
            "true" | "false" => ValueKind::Boolean,
            _ => of_number(text)
                .or_else(|| of_time(text))
                .or_else(|| is_uuid(text).then_some(ValueKind::Uuid))
                .unwrap_or(ValueKind::Text),
        }
    }

    /// Of a JSON number or word; null has none.
    pub(super) fn of_literal(json: &str) -> Option<ValueKind> {
        Some(match json.as_bytes().first()? {
            b'n' => return None,
            b't' | b'f' => ValueKind::Boolean,
            _ => of_number(json).unwrap_or(ValueKind::Exponent),
        })
    }

    /// The type of a column in which all is of this kind.
    pub(super) fn sql(self) -> &'static str {
        match self {
            ValueKind::Integer => "bigint",
            ValueKind::Decimal | ValueKind::Exponent | ValueKind::Comma => "numeric",
            ValueKind::Boolean => "boolean",
            ValueKind::Date => "date",
            ValueKind::Timestamp => "timestamp",
            ValueKind::Instant => "timestamptz",
            ValueKind::Uuid => "uuid",
            ValueKind::Json => "jsonb",
            ValueKind::Empty | ValueKind::Text => "text",
        }
    }
}

fn of_number(text: &str) -> Option<ValueKind> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = match digits.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    // "0123" is a code, "-0" is not what a bigint gives back.
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) || text == "-0" {
        return None;
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match rest.as_bytes().first() {
        None if whole.len() <= BIGINT_DIGITS => Some(ValueKind::Integer),
        None => Some(ValueKind::Decimal),
        Some(b'.') if is_digits(&rest[1..]) => Some(ValueKind::Decimal),
        Some(b',' | b'.') if is_of_people(whole, rest) => Some(ValueKind::Comma),
        _ => None,
    }
}

/// `1.234,56` or `1,234.56` or `12,5`.
fn is_of_people(whole: &str, rest: &str) -> bool {
    let parts: Vec<&str> = rest.split(['.', ',']).skip(1).collect();
    let are_digits =
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    are_digits && rest.contains(',') && whole.len() <= BIGINT_DIGITS
}

/// ISO 8601 alone, and no more precise than Postgres keeps it.
fn of_time(text: &str) -> Option<ValueKind> {
    const DATE: usize = 10;
    let date = text.get(..DATE)?;
    let has_form = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !has_form || date.starts_with("0000") || date.parse::<Date>().is_err() {
        return None;
    }
    let rest = &text[DATE..];
    if rest.is_empty() {
        return Some(ValueKind::Date);
    }
    let clock = rest.strip_prefix(['T', ' '])?;
    let (clock, zone) = match clock.find(['Z', '+', '-']) {
        Some(at) => clock.split_at(at),
        None => (clock, ""),
    };
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let has_form = matches!(seconds.len(), 5 | 8)
        && seconds.bytes().enumerate().all(|(at, byte)| match at {
            2 | 5 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    let is_exact = fraction.len() <= 6
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && clock.contains('.') != fraction.is_empty()
        && (fraction.is_empty() || seconds.len() == 8);
    // The calendar library knows a 60th second, which Postgres carries over.
    let is_on_the_clock =
        !seconds.ends_with(":60") && format!("{date}T{seconds}").parse::<DateTime>().is_ok();
    if !has_form || !is_exact || !is_on_the_clock {
        return None;
    }
    match zone {
        "" => Some(ValueKind::Timestamp),
        zone if is_zone(zone) => Some(ValueKind::Instant),
        _ => None,
    }
}

/// `Z`, `+01`, `+0100`, `+01:00`, within what Postgres takes.
fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return zone == "Z";
    };
    let digits = match offset.len() {
        5 if offset.as_bytes()[2] == b':' => format!("{}{}", &offset[..2], &offset[3..]),
        2 | 4 => offset.to_owned(),
        _ => return false,
    };
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && digits[..2] <= *"15" && digits.get(2..).is_none_or(|minutes| minutes < "60")
}

/// In the letters that Postgres gives back.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(kind: ValueKind, texts: &[&str]) {
        for text in texts {
            assert_eq!(ValueKind::of_text(text), kind, "{text:?}");
        }
    }

    #[test]
    fn what_a_type_would_change_is_text() {
        all(
            ValueKind::Text,
            &[
                "0123",
                "007",
                "-0",
                "+1",
                " 1",
                "1 ",
                " x ",
                "1e5",
                "1_000",
                "0x1F",
                "00.5",
                ".5",
                "5.",
                "NaN",
                "Infinity",
                "t",
                "yes",
                "TRUE",
                "now",
                "today",
                "epoch",
                "2024-02-30",
                "0000-01-01",
                "01/02/2026",
                "2026-1-2",
                "2026-01-02T24:00:00",
                "2026-01-02T23:59:60Z",
                "2026-01-02T03:04:05.1234567Z",
                "2026-01-02T03:04Q",
                "2026-01-02 03:04:05 UTC",
                "2026-01-02T03:04:05+16",
                "2026-01-02T03:04.5",
                "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                "a0eebc999c0b4ef8bb6d6bb9bd380a11",
                "é",
                "٣",
            ],
        );
    }

    #[test]
    fn what_a_type_keeps_has_one() {
        all(ValueKind::Integer, &["0", "-1", "42", "999999999999999999"]);
        all(ValueKind::Decimal, &["0.50", "-12.5", "1000000000000000000", "0.0"]);
        all(ValueKind::Comma, &["12,50", "1.234,56", "1,234.56", "1,234,567"]);
        all(ValueKind::Date, &["2024-02-29", "0001-01-01"]);
        all(
            ValueKind::Timestamp,
            &["2026-01-02T03:04", "2026-01-02 03:04:05", "2026-01-02T03:04:05.123456"],
        );
        all(
            ValueKind::Instant,
            &[
                "2026-01-02T03:04:05Z",
                "2026-01-02 03:04:05+02",
                "2026-01-02T03:04:05.1-0530",
                "2026-01-02T03:04+05:30",
            ],
        );
        all(ValueKind::Uuid, &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]);
        all(ValueKind::Boolean, &["true", "false"]);
        assert_eq!(ValueKind::of_literal("1e3"), Some(ValueKind::Exponent));
        assert_eq!(ValueKind::of_literal("null"), None);
    }
}
