//! Dates and times as text, ISO 8601 with all the digits there are; years before the first as
//! Postgres writes and reads them.

use std::io::Write as _;

const SECONDS_OF_DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// A moment: seconds since 1970, and so many digits behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    seconds: i64,
    fraction: i64,
    digits: usize,
}

impl Stamp {
    /// Of a count of units since 1970, of which 10 to the power of `digits` are a second.
    pub(super) fn new(value: i64, digits: usize) -> Self {
        let per_second = 10_i64.pow(digits as u32);
        Stamp {
            seconds: value.div_euclid(per_second),
            fraction: value.rem_euclid(per_second),
            digits,
        }
    }

    /// Of whole seconds, and of the nanoseconds since 1970 that may have wrapped around 64 bits.
    pub(super) fn of_wrapped(seconds: i64, nanos: i64) -> Self {
        let fraction = nanos.wrapping_sub(seconds.wrapping_mul(NANOS));
        Stamp {
            seconds: seconds + fraction.div_euclid(NANOS),
            fraction: fraction.rem_euclid(NANOS),
            digits: 9,
        }
    }

    pub(super) fn write(self, has_zone: bool, out: &mut Vec<u8>) {
        let day = self.seconds.div_euclid(SECONDS_OF_DAY);
        let (year, month, day) = civil(day);
        out.push(b'"');
        // Memory takes all that is written.
        let _ = write!(out, "{:04}-{month:02}-{day:02}T", year_shown(year));
        clock(self.seconds.rem_euclid(SECONDS_OF_DAY), out);
        if self.digits > 0 {
            let _ = write!(out, ".{:0width$}", self.fraction, width = self.digits);
        }
        if has_zone {
            out.push(b'Z');
        }
        close(year, out);
    }
}

pub(super) fn date(days: i32, out: &mut Vec<u8>) {
    let (year, month, day) = civil(i64::from(days));
    let _ = write!(out, "\"{:04}-{month:02}-{day:02}", year_shown(year));
    close(year, out);
}

/// The time of a day.
pub(super) fn of_day(value: i64, digits: usize, out: &mut Vec<u8>) {
    let per_second = 10_i64.pow(digits as u32);
    out.push(b'"');
    clock(value.div_euclid(per_second), out);
    let fraction = value.rem_euclid(per_second);
    let _ = write!(out, ".{fraction:0digits$}\"");
}

fn clock(seconds: i64, out: &mut Vec<u8>) {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let _ = write!(out, "{:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60);
}

/// There is no year 0: before the first one was the first before Christ.
fn year_shown(year: i64) -> i64 {
    if year > 0 { year } else { 1 - year }
}

fn close(year: i64, out: &mut Vec<u8>) {
    if year <= 0 {
        out.extend_from_slice(b" BC");
    }
    out.push(b'"');
}

/// Year, month and day of so many days since 1970, as if the calendar of today had always been.
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted in eras of 400 years that begin in March, so that leap days come last.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = match from_march {
        0..10 => from_march + 3,
        _ => from_march - 9,
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_are_dates_of_the_calendar() {
        for (days, shown) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (-719_162, "0001-01-01"),
            (-719_163, "0001-12-31 BC"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "10000-01-01"),
        ] {
            assert_eq!(text(|out| date(days, out)), format!("\"{shown}\""));
        }
    }

    #[test]
    fn moments_keep_their_digits() {
        let stamp = |value, digits, zone| text(|out| Stamp::new(value, digits).write(zone, out));
        assert_eq!(stamp(0, 3, true), "\"1970-01-01T00:00:00.000Z\"");
        assert_eq!(stamp(-1, 6, false), "\"1969-12-31T23:59:59.999999\"");
        assert_eq!(stamp(1_709_210_096_123_456_789, 9, true), "\"2024-02-29T12:34:56.123456789Z\"");
        assert_eq!(text(|out| of_day(3_723_004, 3, out)), "\"01:02:03.004\"");
        assert_eq!(text(|out| of_day(86_400_000_000, 6, out)), "\"24:00:00.000000\"");
    }

    #[test]
    fn moments_of_96_bits_are_exact_where_64_wrap_around() {
        // The last nanosecond of the year 9999.
        let seconds = 253_402_300_799_i64;
        let nanos = seconds.wrapping_mul(NANOS).wrapping_add(999_999_999);
        let stamp = Stamp::of_wrapped(seconds, nanos);
        assert_eq!(text(|out| stamp.write(false, out)), "\"9999-12-31T23:59:59.999999999\"");
    }
}
