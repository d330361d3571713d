//! A connection: the client, and the task that reads the server's messages.

use super::errors::ServerError;
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, Connection};

/// `RAISE NOTICE`, `RAISE WARNING` and the server's own remarks.
pub type Notice = ServerError;

/// Called for each notice.
pub(super) type OnNotice = Arc<dyn Fn(&Notice) + Send + Sync>;

/// A client, and the task that drives its connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Session {
    pub(super) client: Client,
    pub(super) task: JoinHandle<()>,
}

impl Session {
    /// Says goodbye to the server and waits until the connection is closed.
    #[cfg(not(closed))]
    pub async fn close(self) {
        drop(self.client);
        // It cannot panic or be aborted here.
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

/// Starts the task that drives `connection`.
pub(super) fn spawn<S, T>(
    client: Client,
    mut connection: Connection<S, T>,
    on_notice: OnNotice,
) -> Session
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let task = tokio::spawn(async move {
        let error = loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notice(notice))) => on_notice(&Notice::from(&notice)),
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => return,
            }
        };
        log_end(&error);
    });
    Session { client, task }
}

/// When the server ends a connection (`57P01`), the statement in flight may only say
/// "connection closed"; the reason comes here.
fn log_end(error: &tokio_postgres::Error) {
    match super::server_error(error) {
        Some(said) => {
            tracing::warn!(sqlstate = said.sqlstate, "connection ended: {}", said.with_next_step());
        }
        None => tracing::warn!("connection ended: {}", chain(error)),
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
