//! By what an object is recognised in the next run.

use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};

use crate::source::units;

/// The metadata of an object, as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ObjectIdentity {
    pub(super) size: u64,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl ObjectIdentity {
    pub(super) fn new(meta: &ObjectMeta) -> Self {
        ObjectIdentity {
            size: meta.size,
            modified: meta.last_modified.to_rfc3339(),
            etag: meta.e_tag.clone(),
            version: meta.version.clone(),
        }
    }

    /// How an object differs from this one, if it does. The ETag decides where there is one: the same content
    /// with a new time is the same object.
    pub(super) fn difference(&self, now: &ObjectIdentity) -> Option<String> {
        if self.size != now.size {
            return Some(format!("it has {} bytes now, and had {} before", now.size, self.size));
        }
        match (&self.etag, &now.etag) {
            (Some(before), Some(now)) if bare(before) == bare(now) => None,
            (Some(before), Some(now)) => Some(format!("its ETag is {now} now, and was {before}")),
            _ if self.version.is_some() && self.version == now.version => None,
            _ if self.modified == now.modified => None,
            _ => {
                Some(format!("it was modified {} now, and {} before", now.modified, self.modified))
            }
        }
    }

    /// Whether an answer with `etag` and `size` is for this object.
    pub(super) fn is_of(&self, etag: Option<&str>, size: u64) -> bool {
        let is_same = match (self.etag.as_deref(), etag) {
            (Some(before), Some(now)) => bare(before) == bare(now),
            _ => true,
        };
        is_same && self.size == size
    }

    /// The ETag for If-Match; some stores list it without its quotes.
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
pub(super) type KnownObject = units::KnownUnit<ObjectIdentity>;
pub(super) type ObjectProgress = units::UnitProgress<ObjectIdentity>;

impl units::UnitIdentity for ObjectIdentity {
    const NOUN: &'static str = "object";
    const REPLACED: &'static str = "replaced";
    const ANOTHER_NAME: &'static str = "a new key";
    const MAY_GROW: bool = false;
}

impl KnownObject {
    pub(super) fn identity(&self) -> Option<&ObjectIdentity> {
        match self {
            KnownObject::Done(identity) | KnownObject::Skipped(identity) => Some(identity),
            KnownObject::Read(state) => Some(&state.identity),
            KnownObject::ToSkip(_) => None,
        }
    }
}
