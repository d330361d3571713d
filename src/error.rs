//! One error type: what failed, why (the chain of causes), and what to do next.

use std::error::Error as StdError;
use std::fmt;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller has to do about an error. Decides the exit code of the process
/// and the outcome word of the summary line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something failed for good; running again will not help.
    Failed,
    /// The command line, a setting or a pipeline's definition is wrong.
    Usage,
    /// More bad records than the pipeline allows.
    Threshold,
    /// Another run holds the pipeline, or took it over.
    Locked,
    /// A passing condition outlasted every retry; safe to run again.
    Exhausted,
    /// A signal asked the run to stop (the signal's number).
    Interrupted(i32),
}

impl Kind {
    /// The process exit code of this kind, as docs/running.md lists them.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Threshold => 3,
            Kind::Locked => 4,
            Kind::Exhausted => 75,
            Kind::Interrupted(signal) => 128 + u8::try_from(signal).unwrap_or(2),
        }
    }

    /// The second word of the summary line.
    pub fn outcome(self) -> &'static str {
        match self {
            Kind::Failed | Kind::Usage | Kind::Exhausted => "failed",
            Kind::Threshold => "threshold",
            Kind::Locked => "locked",
            Kind::Interrupted(_) => "interrupted",
        }
    }
}

/// An error fit to be shown to a user: it names the thing, quotes it, keeps its cause
/// and says what to do next.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    details: Vec<String>,
    next: Option<Box<str>>,
    sqlstate: Option<Box<str>>,
    routine: Option<Box<str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            details: Vec::new(),
            next: None,
            sqlstate: None,
            routine: None,
            source: None,
        }
    }

    /// An error that running again will not cure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// A wrong command line, setting or definition.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Adds a line between the message and the next step.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Says what the user should do next.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into().into());
        self
    }

    /// Attaches the cause. It is printed as a chain, never pasted into the message.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// Records which routine of the server raised it: one SQLSTATE has several causes, and messages are translated.
    #[must_use]
    pub fn with_routine(mut self, routine: Option<String>) -> Self {
        self.routine = routine.map(Into::into);
        self
    }

    /// The routine of the server that raised it.
    pub fn routine(&self) -> Option<&str> {
        self.routine.as_deref()
    }

    /// Records the SQLSTATE the server gave, for those who act on it.
    #[must_use]
    pub fn with_sqlstate(mut self, code: impl Into<String>) -> Self {
        self.sqlstate = Some(code.into().into());
        self
    }

    /// The SQLSTATE, if the error came from the server.
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// What the caller has to do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same error as another kind, for the few places that know better.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Names what it is about, unless the message already does.
    #[must_use]
    pub(crate) fn about(self, pipeline: &str) -> Self {
        let is_named = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()) == pipeline;
        match self.message.split_whitespace().any(is_named) {
            true => self,
            false => self.context(&format!("pipeline {pipeline}")),
        }
    }

    /// Says where it happened, in front of the message.
    #[must_use]
    pub fn context(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Passes its words through `f`: for those who know what must not be shown. Causes stay
    /// as they are.
    #[must_use]
    pub(crate) fn reworded(mut self, f: impl Fn(&str) -> String) -> Self {
        self.message = f(&self.message);
        self.details = self.details.iter().map(|line| f(line)).collect();
        self.next = self.next.map(|step| f(&step).into());
        self
    }

    /// The same for one more who has to be told: causes are put into words rather than attached.
    pub(crate) fn again(&self) -> Self {
        let mut causes = Vec::new();
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            causes.push(format!("cause: {error}"));
            cause = error.source();
        }
        causes.extend(self.details.iter().cloned());
        Error {
            details: causes,
            next: self.next.clone(),
            sqlstate: self.sqlstate.clone(),
            routine: self.routine.clone(),
            ..Error::new(self.kind, self.message.clone())
        }
    }

    /// Takes over what a library says besides its message.
    pub(crate) fn with(
        mut self,
        details: Vec<String>,
        next: Option<String>,
        source: Option<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.details = details;
        self.next = next.map(Into::into);
        self.source = source;
        self
    }

    /// What failed and why, without the next step.
    pub(crate) fn in_one_line(&self) -> String {
        let mut line = self.message.clone();
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            let words = error.to_string();
            if !line.contains(&words) {
                line = format!("{line}: {words}");
            }
            cause = error.source();
        }
        let is_place = |detail: &&String| detail.starts_with("where:");
        for detail in self.details.iter().filter(|detail| !is_place(detail)) {
            line = format!("{line}; {detail}");
        }
        line
    }

    /// What failed, without causes and next step.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next step, if one is known.
    pub fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

/// The whole story over several lines: message, causes, details, next step.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = StdError::source(self);
        while let Some(error) = cause {
            write!(f, "\n  cause: {error}")?;
            cause = error.source();
        }
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next:  {next}")?;
        }
        Ok(())
    }
}

impl From<libpq_conninfo::Error> for Error {
    fn from(error: libpq_conninfo::Error) -> Self {
        Error::usage(error.message).with(error.details, error.next, error.cause)
    }
}

impl From<embedded_postgres::Error> for Error {
    fn from(error: embedded_postgres::Error) -> Self {
        let told = match error.is_usage {
            true => Error::usage(error.message),
            false => Error::failed(error.message),
        };
        told.with(error.details, error.next, error.cause)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
