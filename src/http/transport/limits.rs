//! Rate limits: requests per second, and the pauses that a server asks for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::time::Instant;

/// Schedules requests by the rate limit.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pacer {
    pub(super) fn new(requests_per_second: Option<f64>) -> Self {
        let interval =
            requests_per_second.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Pacer { interval: interval.unwrap_or_default(), next: Mutex::new(None) }
    }

    /// Waits until the next request may start.
    pub(super) async fn wait(&self) {
        let now = Instant::now();
        let moment = self.take(now);
        // Even an expired timer takes a millisecond.
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

    /// Delays all requests by a pause that the source asks for.
    pub(super) fn hold(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + pause;
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

/// What headers say about a quota, which is named by the rest of their names.
#[derive(Debug, Default)]
struct Quota {
    name: String,
    remaining: Option<f64>,
    reset: Option<Duration>,
}

/// The pause that the source asks for: `Retry-After` and the like, else until all used-up quotas are reset,
/// else until the first quota in the headers is.
pub(crate) fn asked_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let told = headers.iter().filter(|(name, _)| name.as_str().contains("retry-after"));
    told.filter_map(|(name, value)| pause(name.as_str(), text(value)?, now)).next().or_else(|| {
        let quotas = quotas(headers, now);
        let spent = quotas.iter().filter(|quota| quota.is_spent());
        spent
            .filter_map(|quota| quota.reset)
            .max()
            .or_else(|| quotas.iter().find_map(|quota| quota.reset))
    })
}

/// Whether the headers say that a quota is used up.
pub(crate) fn is_spent(headers: &HeaderMap) -> bool {
    let quotas = quotas(headers, UNIX_EPOCH);
    quotas.iter().any(Quota::is_spent)
}

/// Whether the headers ask for a pause explicitly.
pub(crate) fn asks_for_pause(headers: &HeaderMap) -> bool {
    let mut names = headers.keys();
    names.any(|name| name.as_str().contains("retry-after"))
}

impl Quota {
    fn is_spent(&self) -> bool {
        self.remaining.is_some_and(|left| left <= 0.0)
    }
}

/// The quotas in headers: `X-RateLimit-Remaining`, `x-ratelimit-reset-tokens`,
/// `RateLimit: limit=9, remaining=0, reset=30`, `RateLimit: "default";r=0;t=30`.
fn quotas(headers: &HeaderMap, now: SystemTime) -> Vec<Quota> {
    let mut quotas: Vec<Quota> = Vec::new();
    let mut note = |name: String, change: &dyn Fn(&mut Quota)| match quotas
        .iter_mut()
        .find(|quota| quota.name == name)
    {
        Some(quota) => change(quota),
        None => {
            let mut quota = Quota { name, ..Quota::default() };
            change(&mut quota);
            quotas.push(quota);
        }
    };
    for (name, value) in headers {
        let (name, Some(value)) = (name.as_str().replace("rate-limit", "ratelimit"), text(value))
        else {
            continue;
        };
        if name == "ratelimit" {
            for (index, policy) in value.split(',').enumerate() {
                for (key, value) in policy.split(';').filter_map(|part| part.split_once('=')) {
                    // In the first draft the members follow each other; in later ones a list of quotas,
                    // each with its members.
                    let is_first = matches!(key.trim(), "limit" | "remaining" | "reset");
                    let name = format!("{name}-{}", if is_first { 0 } else { index });
                    match key.trim() {
                        "remaining" | "r" => {
                            note(name, &|quota| quota.remaining = value.trim().parse().ok());
                        }
                        "reset" | "t" => {
                            note(name, &|quota| quota.reset = pause("", value.trim(), now));
                        }
                        _ => {}
                    }
                }
            }
        } else if name.contains("ratelimit") && name.contains("remaining") {
            let left = value.parse().ok();
            note(name.replace("remaining", ""), &|quota| {
                quota.remaining = left;
            });
        } else if name.contains("ratelimit") && name.contains("reset") {
            let is_span = name.contains("reset-after");
            let reset = pause(&name, value, now);
            let quota = name.replace("reset-after", "").replace("reset", "");
            // A duration is preferred to a time.
            note(quota, &|quota| {
                if is_span || quota.reset.is_none() {
                    quota.reset = reset;
                }
            });
        }
    }
    quotas
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim)
}

/// Numbers beyond these are a time since 1970 and not a span, in milliseconds or seconds.
const MILLISECONDS: f64 = 1e11;
const EPOCH: f64 = 1e8;

/// A pause in one of the ways in which it is written: seconds, milliseconds (where the name
/// says so), a time since 1970, a span such as `1m30s`, a date, an ISO time.
fn pause(name: &str, text: &str, now: SystemTime) -> Option<Duration> {
    let until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
    let Ok(number) = text.parse::<f64>() else {
        return match (httpdate::parse_http_date(text), text.parse::<Timestamp>()) {
            (Ok(time), _) => Some(until(time)),
            (_, Ok(time)) => Some(until(time.try_into().ok()?)),
            _ => text.parse::<SignedDuration>().ok()?.try_into().ok(),
        };
    };
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = match number {
        number if number > MILLISECONDS => (number / 1000.0 - now.as_secs_f64()).max(0.0),
        number if number > EPOCH => (number - now.as_secs_f64()).max(0.0),
        number if name.ends_with("-ms") => number / 1000.0,
        number => number,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_772_352_000; // 2026-03-01 08:00:00 UTC

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn pauses_are_understood_in_every_form() {
        for (pairs, pause) in [
            (&[("retry-after", "120")][..], Some(120_000)),
            (&[("retry-after", "Sun, 01 Mar 2026 08:01:30 GMT")], Some(90_000)),
            (&[("retry-after", "Sun, 01 Mar 2026 07:00:00 GMT")], Some(0)),
            (&[("retry-after", "2026-03-01T09:00:30+01:00")], Some(30_000)),
            (&[("retry-after", "1m30s")], Some(90_000)),
            (&[("retry-after-ms", "1500")], Some(1500)),
            (&[("retry-after", "soon"), ("x-ratelimit-reset", "7")], Some(7000)),
            (&[("x-ratelimit-reset", "1772352060")], Some(60_000)),
            (&[("x-rate-limit-reset", "1772352060000")], Some(60_000)),
            (&[("x-ratelimit-reset", "1772351000")], Some(0)),
            (&[("ratelimit-reset", "3")], Some(3000)),
            (
                &[("x-ratelimit-reset", "1772352060"), ("x-ratelimit-reset-after", "1.5")],
                Some(1500),
            ),
            (
                &[
                    ("x-ratelimit-remaining-requests", "9"),
                    ("x-ratelimit-reset-requests", "12ms"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                Some(360_000),
            ),
            (&[("api-ratelimit-tokens-reset", "2026-03-01T08:00:07Z")], Some(7000)),
            (&[("ratelimit", "limit=10, remaining=0, reset=30")], Some(30_000)),
            (&[("ratelimit", "\"burst\";r=5;t=2, \"day\";r=0;t=60")], Some(60_000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "1e300")], None),
            (&[("x-ratelimit-reset", "tomorrow")], None),
            (&[], None),
        ] {
            let asked = asked_pause(&headers(pairs), UNIX_EPOCH + Duration::from_secs(NOW));
            assert_eq!(asked.map(|pause| pause.as_millis()), pause, "{pairs:?}");
        }
    }

    #[test]
    fn the_quota_is_spent_at_zero() {
        for (name, left, spent) in [
            ("x-ratelimit-remaining", "0", true),
            ("x-ratelimit-remaining", "1", false),
            ("x-ratelimit-remaining", "0.0", true),
            ("x-ratelimit-remaining", "x", false),
            ("x-ratelimit-remaining-tokens", "0", true),
            ("ratelimit", "limit=5, remaining=0, reset=1", true),
            ("ratelimit", "\"default\";r=1;t=1", false),
        ] {
            assert_eq!(is_spent(&headers(&[(name, left)])), spent, "{name}: {left}");
        }
    }

    #[test]
    fn requests_are_spread_evenly() {
        let pacer = Pacer::new(Some(4.0));
        let now = Instant::now();
        let moments: Vec<u128> = (0..4).map(|_| (pacer.take(now) - now).as_millis()).collect();
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
