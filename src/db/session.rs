//! A live connection: the client, and the task that reads the server's messages.

use super::errors::ServerError;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection};

/// `RAISE NOTICE`, `RAISE WARNING` and the server's own remarks.
pub type Notice = ServerError;

/// Called for each notice.
pub(super) type OnNotice = Arc<dyn Fn(&Notice) + Send + Sync>;

/// How a connection ended.
#[derive(Debug)]
pub struct Ending(Option<tokio_postgres::Error>);

impl Ending {
    /// The error the connection ended with; `None`: we closed it.
    pub fn error(&self) -> Option<&tokio_postgres::Error> {
        self.0.as_ref()
    }

    /// The last words of the server, e.g. `57P01` after an administrator's command.
    pub fn server_error(&self) -> Option<ServerError> {
        self.error().and_then(super::server_error)
    }
}

/// A client and the fate of its connection. Dropping it closes the connection.
///
/// When the server ends a connection (`57P01`), the statement in flight may only say
/// "connection closed"; the reason reaches the task behind [`Session::ended`].
#[derive(Debug)]
pub struct Session {
    client: Client,
    task: JoinHandle<()>,
    ending: watch::Receiver<Option<Arc<Ending>>>,
}

impl Session {
    pub(super) fn new(live: Live) -> Self {
        Session {
            client: live.client,
            task: live.task,
            ending: live.ending,
        }
    }

    /// Waits for the connection to end and says how. Ask after an error that
    /// `is_closed()`, or race it with a statement.
    pub async fn ended(&self) -> Arc<Ending> {
        let mut ending = self.ending.clone();
        let last = match ending.wait_for(Option::is_some).await {
            Ok(ending) => ending.clone(),
            // The task was aborted.
            Err(_) => None,
        };
        last.unwrap_or_else(|| Arc::new(Ending(None)))
    }

    /// Says goodbye to the server and waits until the connection is closed.
    pub async fn close(self) {
        drop(self.client);
        // The task cannot panic or be aborted here; its ending no longer matters.
        let _ = self.task.await;
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// The parts of a connection just made.
pub(super) struct Live {
    pub(super) client: Client,
    pub(super) task: JoinHandle<()>,
    pub(super) ending: watch::Receiver<Option<Arc<Ending>>>,
}

/// Starts the task that drives `connection`.
pub(super) fn spawn<S, T>(
    client: Client,
    mut connection: Connection<S, T>,
    on_notice: OnNotice,
) -> Live
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, ending) = watch::channel(None);
    let task = tokio::spawn(async move {
        let error = loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notice(notice))) => on_notice(&Notice::from(&notice)),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let last = Arc::new(Ending(error));
        log_ending(&last);
        // Nobody may be interested any more.
        let _ = sender.send(Some(last));
    });
    Live {
        client,
        task,
        ending,
    }
}

fn log_ending(ending: &Ending) {
    match (ending.server_error(), ending.error()) {
        (Some(said), _) => {
            tracing::warn!(
                sqlstate = said.sqlstate,
                "connection ended: {}",
                said.message
            );
        }
        (None, Some(error)) => tracing::warn!("connection ended: {}", chain(error)),
        (None, None) => {}
    }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

/// What happens to notices unless the caller wants them.
pub(super) fn log_notice(notice: &Notice) {
    match notice.severity.as_str() {
        "WARNING" => tracing::warn!(sqlstate = notice.sqlstate, "{}", notice.message),
        "DEBUG" => tracing::debug!("{}", notice.message),
        _ => tracing::info!("{}", notice.message),
    }
}
