//! Why there is no server.

use std::error::Error as StdError;
use std::fmt;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, why, and what to do next.
#[derive(Debug)]
pub struct Error {
    /// What failed; it names and quotes the thing.
    pub message: String,
    /// The last words of the program or the server, and what was found instead.
    pub details: Vec<String>,
    /// What to do next.
    pub next: Option<String>,
    /// The error behind it.
    pub cause: Option<Box<dyn StdError + Send + Sync>>,
    /// Whether the user has to set or install something: trying again will not help.
    pub is_usage: bool,
    /// Whether there are no programs to make a server with: installing them helps.
    pub is_not_installed: bool,
}

impl Error {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Error {
            message: message.into(),
            details: Vec::new(),
            next: None,
            cause: None,
            is_usage: false,
            is_not_installed: false,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Error { is_usage: true, ..Self::failed(message) }
    }

    pub(crate) fn detail(mut self, line: impl Into<String>) -> Self {
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
            write!(f, "\n{line}")?;
        }
        match &self.next {
            Some(next) => write!(f, "\n{next}"),
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
