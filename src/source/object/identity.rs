//! How an object is recognised in the next run.

use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};

use crate::source::units;

/// Facts about an object, as the store lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) size: u64,
    modified: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl Identity {
    pub(super) fn new(meta: &ObjectMeta) -> Self {
        Identity {
            size: meta.size,
            modified: meta.last_modified.to_rfc3339(),
            etag: meta.e_tag.clone(),
            version: meta.version.clone(),
        }
    }

    /// How the object differs from this one, if it does. The ETag decides where there is one:
    /// the same content under a new time is the same object.
    pub(super) fn difference(&self, now: &Identity) -> Option<String> {
        if self.size != now.size {
            return Some(format!(
                "it has {} bytes now, and had {} before",
                now.size, self.size
            ));
        }
        match (&self.etag, &now.etag) {
            (Some(before), Some(now)) if bare(before) == bare(now) => None,
            (Some(before), Some(now)) => Some(format!("its ETag is {now} now, and was {before}")),
            _ if self.version.is_some() && self.version == now.version => None,
            _ if self.modified == now.modified => None,
            _ => Some(format!(
                "it was modified {} now, and {} before",
                now.modified, self.modified
            )),
        }
    }

    /// Whether an answer that names `etag` and `size` speaks of this object.
    pub(super) fn is_of(&self, etag: Option<&str>, size: u64) -> bool {
        let is_same = match (self.etag.as_deref(), etag) {
            (Some(before), Some(now)) => bare(before) == bare(now),
            _ => true,
        };
        is_same && self.size == size
    }

    /// The ETag as a condition needs it: some stores list it without its quotes.
    pub(super) fn condition(&self) -> Option<String> {
        let etag = self.etag.as_deref()?;
        Some(match etag.starts_with('"') || etag.starts_with("W/") {
            true => etag.to_owned(),
            false => format!("\"{etag}\""),
        })
    }
}

fn bare(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// What is known of an object.
pub(super) type Known = units::Known<Identity>;
pub(super) type State = units::State<Identity>;

impl units::Identity for Identity {
    const NOUN: &'static str = "object";
    const REPLACED: &'static str = "replaced";
    const ANOTHER_NAME: &'static str = "a new key";
    const MAY_GROW: bool = false;
}

impl Known {
    pub(super) fn identity(&self) -> Option<&Identity> {
        match self {
            Known::Done(identity) | Known::Skipped(identity) => Some(identity),
            Known::Read(state) => Some(&state.identity),
            Known::ToSkip(_) => None,
        }
    }
}
