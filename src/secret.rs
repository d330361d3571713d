//! Secrets: read from the environment or a file, and kept out of everything that is shown.

mod credential;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Url;

use crate::error::{Error, Result};
use crate::host::HostRules;
pub(crate) use credential::{credential_of, is_credential, without_credentials};

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretLocation {
    Environment(String),
    File(PathBuf),
}

impl SecretLocation {
    pub(crate) fn of(env: Option<&str>, file: Option<&PathBuf>) -> Result<Self> {
        match (env, file) {
            (Some(name), None) => Ok(SecretLocation::Environment(name.to_owned())),
            (None, Some(path)) => Ok(SecretLocation::File(path.clone())),
            _ => Err(Error::usage("the settings do not say where the credential is kept")
                .next("name one of env => 'VARIABLE' and file => 'PATH'")),
        }
    }

    /// The secret as it is now.
    pub(crate) fn read(&self, host: &HostRules) -> Result<Secret> {
        let text = match self {
            SecretLocation::Environment(name) => host.env(name)?,
            SecretLocation::File(path) => {
                host.file(path)?;
                std::fs::read_to_string(path).map_err(|cause| {
                    Error::usage(format!(
                        "the file `{}` with the credential cannot be read",
                        path.display()
                    ))
                    .caused_by(cause)
                    .next("check the path and who may read it")
                })?
            }
        };
        let text = text.trim();
        if text.is_empty() || text.contains(|c: char| c.is_ascii_control()) {
            return Err(Error::usage(format!("{self} holds no usable credential"))
                .next("it has to be one line of text"));
        }
        Ok(Secret(text.to_owned()))
    }
}

impl fmt::Display for SecretLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretLocation::Environment(name) => write!(f, "environment variable `{name}`"),
            SecretLocation::File(path) => write!(f, "file `{}`", path.display()),
        }
    }
}

/// Text that is not shown, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Secret(text)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The least length of a line that tells something of a secret of several lines.
const TELLING: usize = 8;

/// Knows every secret in use, and takes them out of texts that others sent.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// In every form in which a server may echo them, the longest first.
    known: Mutex<Vec<Secret>>,
}

impl Redactor {
    pub(crate) fn add(&self, secret: &Secret) {
        let text = secret.expose();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let in_form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let forms = [
            text.to_owned(),
            in_form.replace('+', "%20"),
            in_form,
            BASE64_STANDARD.encode(text),
            json_escaped(text),
        ];
        // A key of several lines is logged line by line.
        let lines = text.lines().map(str::trim).filter(|line| line.len() >= TELLING);
        let lines = lines.chain([text.trim()]).map(str::to_owned);
        for form in forms.into_iter().chain(lines) {
            if !form.is_empty() && !known.iter().any(|other| other.expose() == form) {
                known.push(Secret(form));
            }
        }
        known.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// The text without the known secrets, and without those that a server has put into a URL.
    pub(crate) fn clean(&self, text: &str) -> String {
        without_credentials(&self.without_known(text))
    }

    fn without_known(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "[redacted]"))
    }

    /// How many bytes at the end of a text that goes on may be the beginning of a secret.
    pub(crate) fn begun(&self, text: &[u8]) -> usize {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = || known.iter().map(|secret| secret.expose().as_bytes());
        let end_of = |secret: &[u8]| Some(memchr::memmem::rfind(text, secret)? + secret.len());
        // One that is there as a whole is not to be cut.
        let whole = known().filter_map(end_of).max().unwrap_or_default();
        let ends = (whole..text.len()).map(|at| &text[at..]);
        let mut begun = ends.filter(|end| known().any(|secret| secret.starts_with(end)));
        begun.next().map_or(0, <[u8]>::len)
    }

    fn holds(&self, text: &str) -> bool {
        self.without_known(text) != text
    }

    /// A server's link without the parameters in which it repeats a secret: links are kept in the cursor,
    /// and the credential is sent with every request anyway.
    pub(crate) fn clean_link(&self, link: &Url) -> Url {
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

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_in_every_form() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("p&ss \"1\"".to_owned()));
        let text = r#"p&ss "1" p%26ss%20%221%22 cCZzcyAiMSI= p&ss \"1\" rest"#;
        assert_eq!(redactor.clean(text), "[redacted] [redacted] [redacted] [redacted] rest");
        assert_eq!(format!("{:?}", Secret::new("x".to_owned())), "[secret]");
    }

    #[test]
    fn secrets_of_several_lines_are_taken_out_line_by_line() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("-----BEGIN KEY-----\nMIIEabcd\n}\n".to_owned()));
        assert_eq!(
            redactor.clean("a MIIEabcd b } -----BEGIN KEY-----"),
            "a [redacted] b } [redacted]"
        );
        redactor.add(&Secret::new("s3cret\n".to_owned()));
        assert_eq!(redactor.clean("s3cret"), "[redacted]");
    }

    #[test]
    fn what_may_be_the_beginning_of_a_secret_is_known() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("abcabx".to_owned()));
        for (text, begun) in [("", 0), ("xyz", 0), ("xa", 1), ("abcab", 5), ("abcabc", 3)] {
            assert_eq!(redactor.begun(text.as_bytes()), begun, "{text}");
        }
        assert_eq!(redactor.begun(b"abcabx"), 0, "it is whole");
    }

    #[test]
    fn links_lose_the_parameter_that_repeats_a_secret() {
        let redactor = Redactor::default();
        redactor.add(&Secret::new("s3 cret".to_owned()));
        let clean = |link: &str| redactor.clean_link(&Url::parse(link).unwrap()).to_string();
        assert_eq!(clean("https://a/x?key=s3+cret&page=2&q=%20"), "https://a/x?page=2&q=+");
        assert_eq!(clean("https://a/x?key=s3%20cret"), "https://a/x");
        assert_eq!(clean("https://a/x?page=2&q=%20"), "https://a/x?page=2&q=%20");
    }
}
