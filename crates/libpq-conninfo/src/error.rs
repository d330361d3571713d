//! What is wrong with the settings of a connection. No message shows a secret.

use std::error::Error as StdError;
use std::fmt;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong, why, and what to do next.
#[derive(Debug)]
pub struct Error {
    /// What is wrong: it names the parameter, and quotes its value unless that may be a secret.
    pub message: String,
    /// Where it was found, and what was looked for.
    pub details: Vec<String>,
    /// What to do next.
    pub next: Option<String>,
    /// The error behind it.
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Error { message: message.into(), details: Vec::new(), next: None, cause: None }
    }

    /// Adds a line between the message and the next step.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for line in &self.details {
            write!(f, "; {line}")?;
        }
        match &self.next {
            Some(next) => write!(f, "; {next}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause as &(dyn StdError + 'static))
    }
}
