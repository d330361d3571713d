//! Secrets: read from the environment or a file, and kept out of everything that is shown.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use crate::error::{Error, Result};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeper {
    Environment(String),
    File(PathBuf),
}

impl Keeper {
    pub(super) fn of(env: Option<&str>, file: Option<&PathBuf>) -> Result<Self> {
        match (env, file) {
            (Some(name), None) => Ok(Keeper::Environment(name.to_owned())),
            (None, Some(path)) => Ok(Keeper::File(path.clone())),
            _ => Err(
                Error::usage("the credential of the HTTP source has no keeper")
                    .next("name one of env => 'VARIABLE' and file => 'PATH'"),
            ),
        }
    }

    /// The secret as it is now.
    pub(super) fn read(&self) -> Result<Secret> {
        let text = match self {
            Keeper::Environment(name) => std::env::var(name).map_err(|cause| {
                Error::usage(format!(
                    "the environment variable `{name}` with the credential is not set"
                ))
                .caused_by(cause)
                .next("set it for the process that runs sluice")
            })?,
            Keeper::File(path) => std::fs::read_to_string(path).map_err(|cause| {
                Error::usage(format!(
                    "the file `{}` with the credential cannot be read",
                    path.display()
                ))
                .caused_by(cause)
                .next("check the path and who may read it")
            })?,
        };
        let text = text.trim();
        if text.is_empty() || text.contains(|c: char| c.is_ascii_control()) {
            return Err(Error::usage(format!("{self} holds no usable credential"))
                .next("it has to be one line of text"));
        }
        Ok(Secret(text.to_owned()))
    }
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keeper::Environment(name) => write!(f, "environment variable `{name}`"),
            Keeper::File(path) => write!(f, "file `{}`", path.display()),
        }
    }
}

/// Text that is not shown, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Secret(text)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Knows every secret in use, and takes them out of texts that others sent.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    /// With the forms in which a server may echo them, the longest first.
    known: Mutex<Vec<Secret>>,
}

impl Redactor {
    pub(super) fn add(&self, secret: &Secret) {
        let text = secret.expose();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let encoded = percent_encoded(text);
        for form in [
            text.to_owned(),
            encoded.replace("%20", "+"),
            encoded,
            base64(text.as_bytes()),
            json_escaped(text),
        ] {
            if !form.is_empty() && !known.iter().any(|other| other.expose() == form) {
                known.push(Secret(form));
            }
        }
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    pub(super) fn clean(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.expose(), "[redacted]")
        })
    }

    fn holds(&self, text: &str) -> bool {
        self.clean(text) != text
    }

    /// A link that a server made, without the parameters in which it repeats a secret: links
    /// are kept in the cursor, and the credential is sent with every request anyway.
    pub(super) fn clean_link(&self, link: &Url) -> Url {
        let is_clean = link.query_pairs().all(|(_, value)| !self.holds(&value));
        if is_clean && link.username().is_empty() && link.password().is_none() {
            return link.clone();
        }
        let mut clean = link.clone();
        let kept: Vec<(String, String)> = link
            .query_pairs()
            .filter(|(_, value)| !self.holds(value))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        clean.set_query(None);
        if !kept.is_empty() {
            clean.query_pairs_mut().extend_pairs(kept);
        }
        let _ = clean.set_username("");
        let _ = clean.set_password(None);
        clean
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// RFC 4648, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        for place in 0..4 {
            match place <= chunk.len() {
                true => text.push(char::from(
                    DIGITS[(group >> (18 - 6 * place)) as usize & 63],
                )),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("user:pässword", "dXNlcjpww6Rzc3dvcmQ="),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn secrets_are_taken_out_in_every_form() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("p&ss \"1\"".to_owned()));
        let text = r#"p&ss "1" p%26ss%20%221%22 cCZzcyAiMSI= p&ss \"1\" rest"#;
        assert_eq!(
            redactor.clean(text),
            "[redacted] [redacted] [redacted] [redacted] rest"
        );
        assert_eq!(format!("{:?}", Secret::new("x".to_owned())), "[secret]");
    }

    #[test]
    fn links_lose_the_parameter_that_repeats_a_secret() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("s3 cret".to_owned()));
        let clean = |link: &str| redactor.clean_link(&Url::parse(link).unwrap()).to_string();
        assert_eq!(
            clean("https://a/x?key=s3+cret&page=2&q=%20"),
            "https://a/x?page=2&q=+"
        );
        assert_eq!(clean("https://a/x?key=s3%20cret"), "https://a/x");
        assert_eq!(
            clean("https://a/x?page=2&q=%20"),
            "https://a/x?page=2&q=%20"
        );
    }
}
