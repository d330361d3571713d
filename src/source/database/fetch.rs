//! Fetches rows ahead of the reader, on a thread of its own; if the connection is lost, another one
//! continues after the last row that came.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

use super::cursor::{DatabaseSweep, Marks, RowPosition};
use super::row_sender::{RowEvent, RowSender};
use super::settings::{CursorRange, DatabaseSettings, Reread};
use crate::error::{Error, Result};
use crate::source::{Declared, SourceContext};

/// A server, in its own words.
pub(super) trait Server: Send + 'static {
    /// A connection that sees one state of the data.
    type Session;

    /// Connects. With `known`, the marks that the previous sweep left, a sweep is about to begin: the marks
    /// that it will leave are determined before its snapshot is taken.
    async fn open(&self, known: Option<&Marks>) -> Result<(Self::Session, Option<Marks>)>;

    /// What the server says of the columns.
    async fn declared(&self, session: &mut Self::Session) -> Result<Declared>;

    /// Puts the rows of a window out in order.
    async fn read(
        &self,
        session: &mut Self::Session,
        window: &RowWindow,
        out: &mut RowSender,
    ) -> Result<()>;
}

/// Which rows to read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowWindow {
    pub(super) part: WindowPart,
    /// Where the read continues. The row there is wanted, too: that it is gone is no fault, and reading it
    /// twice does no harm.
    pub(super) after: Option<RowPosition>,
    /// The least cursor, less the lag; and the greatest.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// The keys that are wanted, of [`WindowPart::OfKeys`].
    pub(super) keys: Vec<Vec<String>>,
}

/// Which part of the rows a window is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WindowPart {
    /// All, by key: the source has no cursor.
    All,
    /// Those whose cursor is null, by key.
    WithoutCursor,
    /// Those with a cursor, by cursor and key.
    WithCursor,
    /// Those with some keys, by key; with `from`, only those of them without a cursor, or from there on.
    OfKeys,
}

/// How many keys are asked for at a time.
const KEYS: usize = 1000;

/// The rows of a sweep, from where it is. Dropped, it stops.
pub(super) struct RowFetcher {
    events: mpsc::Receiver<RowEvent>,
}

impl RowFetcher {
    /// `known` are the marks that the previous sweep left, if this one is to begin.
    pub(super) fn start(
        server: impl Server,
        settings: &DatabaseSettings,
        sweep: &DatabaseSweep,
        known: Option<Marks>,
        context: &SourceContext,
    ) -> Result<Self> {
        let (out, events) = RowSender::open(sweep.after.clone(), &context.budget);
        let listener = out.listener();
        let fetching = RowFetch {
            server,
            windows: windows(settings, sweep),
            state: Mutex::new(FetchState { at: 0, known, out }),
        };
        let (runtime, budget) = (context.runtime.clone(), Arc::clone(&context.budget));
        let what = format!("reading {}", settings.origin());
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listener.closed() => {}
                    done = budget.retrying(what, || fetching.attempt()) => {
                        let last = done.map_or_else(RowEvent::Failed, |()| RowEvent::End);
                        let _ = listener.send(last).await;
                    }
                }
            });
        };
        // A thread of its own: some libraries block.
        std::thread::Builder::new().name("fetcher".to_owned()).spawn(work).map_err(|cause| {
            Error::failed("the fetcher thread cannot be started").caused_by(cause)
        })?;
        Ok(RowFetcher { events })
    }

    /// The next event; waits for it.
    pub(super) fn next(&mut self) -> RowEvent {
        self.events.blocking_recv().unwrap_or_else(|| {
            RowEvent::Failed(Error::failed("fetching has ended before the rows did"))
        })
    }
}

/// The windows of a sweep, one after the other.
fn windows(settings: &DatabaseSettings, sweep: &DatabaseSweep) -> Vec<RowWindow> {
    let whole =
        RowWindow { part: WindowPart::All, after: None, from: None, to: None, keys: Vec::new() };
    match &settings.reread {
        Some(Reread::All) => return vec![whole],
        Some(Reread::Places { keys, due_from }) => {
            let of_keys = |keys: &[Vec<String>]| RowWindow {
                part: WindowPart::OfKeys,
                from: due_from.clone(),
                keys: keys.to_vec(),
                ..whole.clone()
            };
            return keys.chunks(KEYS).map(of_keys).collect();
        }
        None => {}
    }
    let CursorRange { from, to } = settings.range.clone().unwrap_or_default();
    let window = |part| RowWindow {
        part,
        from: from.clone().or_else(|| sweep.from.clone()),
        to: to.clone(),
        ..whole.clone()
    };
    let parts: &[WindowPart] = match (&settings.cursor, &settings.range, &sweep.after) {
        (None, _, _) => &[WindowPart::All],
        (Some(_), None, None | Some(RowPosition { cursor: None, .. })) => {
            &[WindowPart::WithoutCursor, WindowPart::WithCursor]
        }
        _ => &[WindowPart::WithCursor],
    };
    parts.iter().map(|part| window(*part)).collect()
}

struct RowFetch<S> {
    server: S,
    windows: Vec<RowWindow>,
    state: Mutex<FetchState>,
}

struct FetchState {
    /// The window at hand.
    at: usize,
    known: Option<Marks>,
    out: RowSender,
}

impl<S: Server> RowFetch<S> {
    /// Continues where the previous attempt got to.
    async fn attempt(&self) -> Result<()> {
        let mut state = self.state.lock().await;
        let FetchState { at, known, out } = &mut *state;
        let done = self.go_on(at, known, out).await;
        if done.is_err() {
            // What has come is sound.
            out.count_retry();
            out.flush().await?;
        }
        done
    }

    async fn go_on(
        &self,
        at: &mut usize,
        known: &mut Option<Marks>,
        out: &mut RowSender,
    ) -> Result<()> {
        let (mut session, marks) = self.server.open(known.as_ref()).await?;
        if known.take().is_some() {
            out.say(RowEvent::Begun(marks)).await?;
        }
        while let Some(window) = self.windows.get(*at) {
            let window = RowWindow { after: out.begin(), ..window.clone() };
            self.server.read(&mut session, &window, out).await?;
            *at += 1;
            out.end();
        }
        out.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(settings: serde_json::Value, after: Option<RowPosition>) -> Vec<WindowPart> {
        let mut all = json!({"kind": "postgres", "connection": {"env": "X"}, "table": "t"});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let settings = DatabaseSettings::parse(&all).unwrap();
        let sweep = DatabaseSweep { after, ..DatabaseSweep::default() };
        windows(&settings, &sweep).iter().map(|window| window.part).collect()
    }

    #[test]
    fn rows_without_a_cursor_come_first_and_belong_to_no_range() {
        let place = |cursor: Option<&str>| {
            Some(RowPosition { cursor: cursor.map(str::to_owned), key: vec!["7".to_owned()] })
        };
        let cursor = || json!({"cursor": "at"});
        assert_eq!(parts(json!({}), None), [WindowPart::All]);
        assert_eq!(parts(cursor(), None), [WindowPart::WithoutCursor, WindowPart::WithCursor]);
        assert_eq!(
            parts(cursor(), place(None)),
            [WindowPart::WithoutCursor, WindowPart::WithCursor]
        );
        assert_eq!(parts(cursor(), place(Some("1"))), [WindowPart::WithCursor]);
        assert_eq!(
            parts(json!({"cursor": "at", "range": {"from": "1"}}), None),
            [WindowPart::WithCursor]
        );
    }
}
