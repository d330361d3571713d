//! How fast a source may be asked: requests per second, and the pauses that it asks for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

/// Hands out the moments at which requests may begin.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pacer {
    pub(super) fn new(requests_per_second: Option<f64>) -> Self {
        let interval =
            requests_per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Pacer {
            interval: interval.unwrap_or_default(),
            next: Mutex::new(None),
        }
    }

    /// Waits for the next moment.
    pub(super) async fn wait(&self) {
        let now = Instant::now();
        let moment = self.take(now);
        // A timer takes a millisecond even for a moment that has come.
        if moment > now {
            tokio::time::sleep_until(moment).await;
        }
    }

    fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = next.map_or(now, |next| next.max(now));
        *next = Some(moment + self.interval);
        moment
    }

    /// No request for so long: the source said that its quota is spent.
    pub(super) fn hold(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + pause;
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

/// Headers that say when the quota is filled again: in so many seconds, or at a time.
const RESETS: &[&str] = &[
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "ratelimit-reset",
];

const REMAINING: &[&str] = &[
    "x-ratelimit-remaining",
    "x-rate-limit-remaining",
    "ratelimit-remaining",
];

/// Numbers beyond these are a time since 1970 and not a span, in milliseconds or seconds.
const MILLISECONDS: f64 = 1e11;
const EPOCH: f64 = 1e8;

/// How long the source asks to be left alone.
pub(super) fn asked_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(asked) = text(RETRY_AFTER.as_str()) {
        if let Some(pause) = seconds(asked) {
            return Some(pause);
        }
        if let Ok(time) = httpdate::parse_http_date(asked) {
            return Some(time.duration_since(now).unwrap_or_default());
        }
    }
    let reset: f64 = RESETS.iter().find_map(|name| text(name)?.parse().ok())?;
    let now = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let pause = match reset {
        reset if reset > MILLISECONDS => reset / 1000.0 - now,
        reset if reset > EPOCH => reset - now,
        reset => reset,
    };
    Duration::try_from_secs_f64(pause.max(0.0)).ok()
}

/// Whether the headers say that the quota is spent.
pub(super) fn is_spent(headers: &HeaderMap) -> bool {
    REMAINING
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .any(|left| left.trim().parse::<f64>().is_ok_and(|left| left <= 0.0))
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: u64 = 1_772_352_000; // 2026-03-01 08:00:00 UTC

    fn asked(pairs: &[(&'static str, &str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        asked_pause(&headers, UNIX_EPOCH + Duration::from_secs(NOW)).map(|pause| pause.as_secs())
    }

    #[test]
    fn pauses_are_understood_in_every_form() {
        for (pairs, pause) in [
            (&[("retry-after", "120")][..], Some(120)),
            (
                &[("retry-after", "Sun, 01 Mar 2026 08:01:30 GMT")],
                Some(90),
            ),
            (&[("retry-after", "Sun, 01 Mar 2026 07:00:00 GMT")], Some(0)),
            (
                &[("retry-after", "soon"), ("x-ratelimit-reset", "7")],
                Some(7),
            ),
            (&[("x-ratelimit-reset", "1772352060")], Some(60)),
            (&[("x-rate-limit-reset", "1772352060000")], Some(60)),
            (&[("x-ratelimit-reset", "1772351000")], Some(0)),
            (&[("ratelimit-reset", "3")], Some(3)),
            (
                &[
                    ("x-ratelimit-reset-after", "1.5"),
                    ("x-ratelimit-reset", "1772352060"),
                ],
                Some(1),
            ),
            (&[("retry-after", "-1")], None),
            (&[("x-ratelimit-reset", "tomorrow")], None),
            (&[], None),
        ] {
            assert_eq!(asked(pairs), pause, "{pairs:?}");
        }
    }

    #[test]
    fn the_quota_is_spent_at_zero() {
        for (left, spent) in [("0", true), ("1", false), ("0.0", true), ("x", false)] {
            let mut headers = HeaderMap::new();
            headers.insert("X-RateLimit-Remaining", left.parse().unwrap());
            assert_eq!(is_spent(&headers), spent, "{left}");
        }
    }

    #[test]
    fn requests_are_spread_evenly() {
        let pacer = Pacer::new(Some(4.0));
        let now = Instant::now();
        let moments: Vec<u128> = (0..4)
            .map(|_| (pacer.take(now) - now).as_millis())
            .collect();
        assert_eq!(moments, [0, 250, 500, 750]);
        let idle = now + Duration::from_secs(60);
        assert_eq!(pacer.take(idle), idle, "what was not used is not saved up");
    }

    #[test]
    fn without_a_rate_there_is_no_waiting() {
        let pacer = Pacer::new(None);
        let now = Instant::now();
        assert!((0..100).all(|_| pacer.take(now) == now));
    }
}
