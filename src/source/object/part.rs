//! Fetches one part of an object, continuing where a body broke off.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::{GetOptions, GetRange};
use tokio::sync::Mutex;

use super::address::Store;
use super::body::{LostPart, Trouble};
use super::explain::{is_archived, is_gone, is_replaced};
use super::fetch::Fetcher;
use super::listing::Candidate;
use super::service::innermost;
use crate::error::Error;
use crate::retry;

/// Why an attempt at a part ended before its end.
enum Stop {
    Refused(object_store::Error),
    Replaced,
    /// The body broke off.
    Broken(String),
}

impl Fetcher {
    /// Fetches a part, continuing where a body broke off.
    pub(super) async fn fetch(
        &self,
        candidate: &Candidate,
        range: Range<u64>,
    ) -> Result<Bytes, LostPart> {
        let got = Mutex::new(BytesMut::with_capacity((range.end - range.start) as usize));
        let attempt = || async {
            let lost = match self
                .attempt(candidate, &range, &mut *got.lock().await)
                .await
            {
                Ok(()) => return Ok(Ok(())),
                Err(Stop::Broken(what)) => {
                    let error =
                        Error::failed(format!("object `{}` cannot be read", candidate.name))
                            .detail("its body broke off")
                            .detail(what);
                    let error = Box::new(error);
                    return Err(match self.is_stopped() {
                        true => retry::Trouble::Fatal(error),
                        false => retry::Trouble::Passing { error, asked: None },
                    });
                }
                Err(Stop::Replaced) => self.replaced(candidate),
                Err(Stop::Refused(error)) if is_replaced(&error) => self.replaced(candidate),
                Err(Stop::Refused(error)) => LostPart {
                    trouble: match () {
                        () if is_gone(&error) => Some(Trouble::Gone),
                        () if is_archived(&error) => Some(Trouble::Archived),
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
                return Err(LostPart {
                    trouble: None,
                    error,
                });
            }
        }
        self.budget.progressed();
        Ok(got.into_inner().freeze())
    }

    /// One request for what a part still lacks.
    async fn attempt(
        &self,
        candidate: &Candidate,
        range: &Range<u64>,
        got: &mut BytesMut,
    ) -> Result<(), Stop> {
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
        let answer = self
            .store
            .get_opts(&candidate.path, options)
            .await
            .map_err(Stop::Refused)?;
        if !identity.is_of(answer.meta.e_tag.as_deref(), answer.meta.size) {
            return Err(Stop::Replaced);
        }
        let wanted = (range.end - range.start) as usize;
        let mut chunks = answer.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) if is_broken(&error) => return Err(Stop::Broken(innermost(&error))),
                Err(error) => return Err(Stop::Refused(error)),
            };
            if got.len() + chunk.len() > wanted {
                return Err(Stop::Broken(format!("more than {wanted} bytes came")));
            }
            got.extend_from_slice(&chunk);
        }
        match got.len() {
            n if n < wanted => Err(Stop::Broken(format!("{n} of {wanted} bytes came"))),
            _ => Ok(()),
        }
    }

    fn replaced(&self, candidate: &Candidate) -> LostPart {
        LostPart {
            trouble: Some(Trouble::Replaced),
            error: Error::failed(format!(
                "object `{}` was replaced while it was read",
                candidate.name
            )),
        }
    }
}

/// Whether the network is behind an error that came after the answer had begun.
fn is_broken(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}
