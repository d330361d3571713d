//! Fetches one part of an object; a body that breaks off is resumed.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::{GetOptions, GetRange};
use tokio::sync::Mutex;

use super::body::{ObjectChange, PartError};
use super::explain::{is_archived, is_gone, is_replaced};
use super::fetch::ObjectFetcher;
use super::listing::ObjectCandidate;
use super::service::innermost;
use super::url::Store;
use crate::error::Error;
use crate::retry;

/// Why an attempt to fetch a part failed.
enum AttemptError {
    Refused(object_store::Error),
    Replaced,
    /// The body broke off.
    Broken(String),
}

impl ObjectFetcher {
    /// Fetches a part; a body that breaks off is resumed.
    pub(super) async fn fetch(
        &self,
        candidate: &ObjectCandidate,
        range: Range<u64>,
    ) -> Result<Bytes, PartError> {
        let got = Mutex::new(BytesMut::with_capacity((range.end - range.start) as usize));
        let attempt = || async {
            let lost = match self.attempt(candidate, &range, &mut *got.lock().await).await {
                Ok(()) => return Ok(Ok(())),
                Err(AttemptError::Broken(what)) => {
                    let error =
                        Error::failed(format!("object `{}` cannot be read", candidate.name))
                            .detail("its body broke off")
                            .detail(what);
                    let error = Box::new(error);
                    return Err(match self.is_stopped() {
                        true => retry::RetryError::Permanent(error),
                        false => retry::RetryError::Transient { error, retry_after: None },
                    });
                }
                Err(AttemptError::Replaced) => self.replaced(candidate),
                Err(AttemptError::Refused(error)) if is_replaced(&error) => {
                    self.replaced(candidate)
                }
                Err(AttemptError::Refused(error)) => PartError {
                    change: match () {
                        () if is_gone(&error) => Some(ObjectChange::Gone),
                        () if is_archived(&error) => Some(ObjectChange::Archived),
                        () => None,
                    },
                    error: self.explain(candidate, &error),
                },
            };
            Ok(Err(lost))
        };
        let what = format!("object {}", candidate.name);
        match self.budget.retrying(what, attempt).await {
            Ok(done) => done?,
            Err(error) => {
                return Err(PartError { change: None, error });
            }
        }
        self.budget.progressed();
        Ok(got.into_inner().freeze())
    }

    /// One request for the missing bytes of a part.
    async fn attempt(
        &self,
        candidate: &ObjectCandidate,
        range: &Range<u64>,
        got: &mut BytesMut,
    ) -> Result<(), AttemptError> {
        let identity = &candidate.identity;
        let missing = range.start + got.len() as u64..range.end;
        let is_whole = missing == (0..identity.size);
        let options = GetOptions {
            range: (!is_whole).then(|| GetRange::Bounded(missing.clone())),
            if_match: match self.address.store {
                Store::Local => identity.etag.clone(),
                _ => identity.condition(),
            },
            ..GetOptions::default()
        };
        let answer =
            self.store.get_opts(&candidate.path, options).await.map_err(AttemptError::Refused)?;
        if !identity.is_of(answer.meta.e_tag.as_deref(), answer.meta.size) {
            return Err(AttemptError::Replaced);
        }
        let wanted = (range.end - range.start) as usize;
        let mut chunks = answer.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) if is_broken(&error) => {
                    return Err(AttemptError::Broken(innermost(&error)));
                }
                Err(error) => return Err(AttemptError::Refused(error)),
            };
            if got.len() + chunk.len() > wanted {
                return Err(AttemptError::Broken(format!("more than {wanted} bytes came")));
            }
            got.extend_from_slice(&chunk);
        }
        match got.len() {
            n if n < wanted => Err(AttemptError::Broken(format!("{n} of {wanted} bytes came"))),
            _ => Ok(()),
        }
    }

    fn replaced(&self, candidate: &ObjectCandidate) -> PartError {
        PartError {
            change: Some(ObjectChange::Replaced),
            error: Error::failed(format!(
                "object `{}` was replaced while it was read",
                candidate.name
            )),
        }
    }
}

/// Whether an error within the body is one of the network.
fn is_broken(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}
