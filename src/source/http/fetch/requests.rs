//! The requests in flight, in the order in which their pages will be read.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::source::http::exchange::{Exchange, FetchError};
use crate::source::http::page::Page;
use crate::source::http::paging::PagePosition;
use crate::source::http::request::RequestScope;

/// Requests for a page and for those that are predicted to follow it.
pub(super) struct Requests {
    exchange: Arc<Exchange>,
    scope: RequestScope,
    ahead: VecDeque<InFlight>,
}

/// A request in flight, aborted when dropped.
struct InFlight {
    at: PagePosition,
    task: JoinHandle<Result<(Page, u32), FetchError>>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Requests {
    pub(super) fn new(exchange: &Arc<Exchange>, scope: RequestScope) -> Self {
        Requests { exchange: Arc::clone(exchange), scope, ahead: VecDeque::new() }
    }

    /// The page at `at`, and how often it was retried. While `memory` is left, the pages that follow are
    /// requested meanwhile, as far as they can be predicted.
    pub(super) async fn fetch(
        &mut self,
        at: &PagePosition,
        memory: &Semaphore,
    ) -> Result<(Page, u32), FetchError> {
        let settings = &self.exchange.settings;
        let mut request = match self.ahead.pop_front() {
            Some(request) => request,
            None => self.send(at.clone()),
        };
        while self.ahead.len() + 1 < settings.prefetch && memory.available_permits() > 0 {
            let last = self.ahead.back().unwrap_or(&request);
            let Some(next) = settings.paging.ahead(&last.at) else {
                break;
            };
            let next = self.send(next);
            self.ahead.push_back(next);
        }
        let done = (&mut request.task).await;
        done.map_err(|cause| Error::failed("a request was given up").caused_by(cause))?
    }

    fn send(&self, at: PagePosition) -> InFlight {
        let (exchange, target) = (Arc::clone(&self.exchange), at.clone());
        let scope = self.scope.clone();
        let task = tokio::spawn(async move { exchange.fetch(&target, &scope).await });
        InFlight { at, task }
    }

    /// Aborts the requests ahead if the prediction was wrong: the next page is `next`.
    pub(super) fn check_prediction(&mut self, next: Option<&PagePosition>) {
        if self.ahead.front().map(|request| &request.at) != next {
            self.ahead.clear();
        }
    }
}
