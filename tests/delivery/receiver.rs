//! A server that applies each idempotency key once, and tells what it applied.

use crate::support::Web;
use crate::support::web::{Answer, Framing, Request};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What is wrong with a request, or its answer.
pub(super) enum RetryError {
    /// Answered so, and not applied.
    Refuse(Answer),
    /// Applied; the answer is lost.
    LoseAnswer,
}

type Rule = dyn Fn(&Request, usize) -> Option<RetryError> + Send + Sync;

#[derive(Default)]
struct Kept {
    /// By idempotency key, what was asked.
    keys: HashMap<String, String>,
    /// Requests by idempotency key.
    seen: HashMap<String, usize>,
    /// By path, which key is being worked on.
    working: HashMap<String, String>,
    /// Paths and contents in the order in which they were applied.
    applied: Vec<(String, String)>,
    /// What must never happen.
    wrong: Vec<String>,
}

pub(super) struct Receiver {
    web: Web,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    /// Takes everything.
    pub(super) fn willing() -> Self {
        Self::with(|_, _| None)
    }

    /// `rule` sees each request, and the how manieth it is with its key.
    pub(super) fn with(
        rule: impl Fn(&Request, usize) -> Option<RetryError> + Send + Sync + 'static,
    ) -> Self {
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        let rule: Box<Rule> = Box::new(rule);
        let web = Web::serve(move |request| answer(&shared, &*rule, request));
        Receiver { web, kept }
    }

    pub(super) fn url(&self) -> &str {
        &self.web.url
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.web.requests()
    }

    /// What was applied since the last time, as `path: content`.
    #[track_caller]
    pub(super) fn applied(&self) -> Vec<String> {
        let mut kept = self.kept.lock().unwrap();
        assert_eq!(kept.wrong, Vec::<String>::new());
        let applied = std::mem::take(&mut kept.applied);
        let applied = applied.into_iter();
        applied.map(|(path, body)| format!("{path}: {body}")).collect()
    }
}

fn answer(kept: &Mutex<Kept>, rule: &Rule, request: &Request) -> Answer {
    let path = request.path.trim_start_matches("/items/").to_owned();
    let key = request.header("idempotency-key").unwrap_or_default();
    let content = format!("{} {}", request.method, request.body);
    let tries = {
        let mut kept = kept.lock().unwrap();
        if key.is_empty() {
            kept.wrong.push(format!("{path} has no key"));
        }
        let other = kept.working.insert(path.clone(), key.to_owned());
        if let Some(other) = other.filter(|other| other != key) {
            kept.wrong.push(format!("{path}: {key} while {other} was on its way"));
        }
        let tries = kept.seen.entry(key.to_owned()).or_default();
        *tries += 1;
        *tries
    };
    // Without the lock: it may take its time.
    let trouble = rule(request, tries);
    let mut kept = kept.lock().unwrap();
    kept.working.remove(&path);
    if let Some(RetryError::Refuse(answer)) = trouble {
        return answer;
    }
    match kept.keys.get(key).cloned() {
        Some(before) if before != content => {
            let wrong = format!("{key} is used for {before} and {content}");
            kept.wrong.push(wrong);
        }
        Some(_) => {}
        None => {
            kept.keys.insert(key.to_owned(), content.clone());
            kept.applied.push((path, content));
        }
    }
    match trouble {
        Some(RetryError::LoseAnswer) => Answer::json("{}").framed(Framing::Nothing),
        _ => Answer::status(201, "{}"),
    }
}
