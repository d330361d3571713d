//! The digest by which the engine recognises a payload it has loaded before.

use aho_corasick::{AhoCorasick, MatchKind};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// What means another moment each time it is read, in Postgres' date and time types.
const MOVING: [&[u8]; 4] = [b"now", b"tomorrow", b"today", b"yesterday"];

/// How those words end, and how JSON's escapes of ASCII characters begin. Short and exact, so
/// that one vectorised pass finds them.
const TRACES: [&str; 9] = ["ow", "oW", "Ow", "OW", "ay", "aY", "Ay", "AY", "\\u00"];

static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    match AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(TRACES) {
        Ok(finder) => finder,
        Err(error) => unreachable!("nine short words: {error}"),
    }
});

/// 128 bits of the payload's SHA-256, or `None` for a payload whose meaning may depend on when
/// it is read: such a record is parsed every time.
pub(super) fn digest(payload: &[u8]) -> Option<[u8; 16]> {
    if is_moving(payload) {
        return None;
    }
    let hash = Sha256::digest(payload);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    Some(digest)
}

fn is_moving(payload: &[u8]) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    FINDER.find_iter(payload).any(|trace| {
        let (before, after) = payload.split_at(trace.end());
        if payload[trace.start()] == b'\\' {
            // U+0040 to U+007F: the letters are among them.
            return matches!(after.first(), Some(b'4'..=b'7'));
        }
        !is_letter(after.first())
            && MOVING.iter().any(|word| {
                before.len().checked_sub(word.len()).is_some_and(|start| {
                    before[start..].eq_ignore_ascii_case(word) && !is_letter(before[..start].last())
                })
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_the_first_half_of_sha256() {
        // The test vector of FIPS 180-4 for "abc".
        assert_eq!(
            digest(b"abc").map(u128::from_be_bytes),
            Some(0xba78_16bf_8f01_cfea_4141_40de_5dae_2223)
        );
        assert_ne!(digest(b"{\"a\": 1}"), digest(b"{\"a\":1}"));
    }

    #[test]
    fn payload_that_means_another_time_tomorrow_has_none() {
        for payload in [
            r#"{"at": "now"}"#,
            r#"{"at": "NOW"}"#,
            r#"{"at": "Tomorrow 12:00"}"#,
            r#"{"at": "2024-01-01,yesterday"}"#,
            r#"{"note": "snowing now"}"#,
            r#"{"at": "\u006eow"}"#,
            r#"{"at": "\u004Eow"}"#,
            "today",
        ] {
            assert_eq!(digest(payload.as_bytes()), None, "{payload}");
        }
        for payload in [
            r#"{"note": "snow, known, nowhere, knowtoday"}"#,
            r#"{"at": "2024-02-29", "city": "Z\u00fcrich"}"#,
            r#"{"at": "infinity"}"#,
        ] {
            assert!(digest(payload.as_bytes()).is_some(), "{payload}");
        }
    }
}
