//! How an object is known again, and what is remembered of it.

use object_store::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::source::ObjectState;
use crate::source::records::Position;

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

    /// As it is kept.
    pub(super) fn to_json(&self, name: &str) -> Result<Value> {
        serde_json::to_value(self).map_err(|cause| not_noted(name, cause))
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

    /// The ETag as it has to stand in a condition: some stores list it without its quotes.
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

/// What an earlier run left of an object.
#[derive(Debug)]
pub(super) enum Known {
    Done(Identity),
    /// To be passed over, as it will be found.
    ToSkip(Box<ObjectState>),
    /// Passed over, as it was found.
    Skipped(Identity),
    /// Read up to here.
    Begun(Box<(Identity, Position)>),
}

impl Known {
    /// Consumes the state, so that it is not held twice: there may be very many of them.
    pub(super) fn from_object(object: ObjectState) -> Result<(String, Self)> {
        if object.is_skipped() && !object.has_identity() {
            return Ok((object.object.clone(), Known::ToSkip(Box::new(object))));
        }
        let is_skipped = object.is_skipped();
        let ObjectState {
            object: name,
            identity,
            position,
            is_done,
        } = object;
        let parts = serde_json::from_value(identity).and_then(|identity| match is_done {
            _ if is_skipped => Ok(Known::Skipped(identity)),
            true => Ok(Known::Done(identity)),
            false => Ok(Known::Begun(Box::new((
                identity,
                serde_json::from_value(position)?,
            )))),
        });
        match parts {
            Ok(known) => Ok((name, known)),
            Err(cause) => Err(Error::failed(format!(
                "what is known of object `{name}` cannot be understood"
            ))
            .caused_by(cause)
            .next(format!(
                "run `sluice rewind PIPELINE --object {name}` to read it again from the start"
            ))),
        }
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        match self {
            Known::Done(identity) | Known::Skipped(identity) => Some(identity),
            Known::Begun(begun) => Some(&begun.0),
            Known::ToSkip(_) => None,
        }
    }
}

/// What to remember of an object. Of one that is done little is kept, for there are many.
pub(super) fn state(
    name: &str,
    identity: &Identity,
    position: &Position,
    is_done: bool,
) -> Result<ObjectState> {
    let place = &position.place;
    Ok(ObjectState {
        object: name.to_owned(),
        identity: identity.to_json(name)?,
        position: match is_done {
            true => json!({"bytes": place.bytes, "records": place.records}),
            false => serde_json::to_value(position).map_err(|cause| not_noted(name, cause))?,
        },
        is_done,
    })
}

fn not_noted(name: &str, cause: serde_json::Error) -> Error {
    Error::failed(format!("cannot note the state of object `{name}`")).caused_by(cause)
}

/// The error about an object that is not the one it was.
pub(super) fn replaced(name: &str, difference: &str) -> Error {
    Error::failed(format!("object `{name}` was replaced since it was read"))
        .detail(difference.to_owned())
        .next(format!(
            "give the new content a new key, run `sluice rewind PIPELINE --object {name}` to read \
             it again from the start (unchanged rows are skipped), or set `on_replace => 'reload'`"
        ))
}
