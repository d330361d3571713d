//! Makes connections, alone or for a pool.

use super::errors::ServerError;
use super::refusal::{describe, describe_silence};
use super::session::{Ending, Live, Notice, OnNotice, Session, log_notice, spawn};
use crate::error::{Error, Result};
use deadpool_postgres::{Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use libpq_conninfo::Settings;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Makes connections with the same settings. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
    application_name: Arc<str>,
    tls: Option<MakeRustlsConnect>,
    on_notice: OnNotice,
    last_ending: Arc<Mutex<Option<Arc<Ending>>>>,
}

impl Connector {
    /// Reads the certificates; connects to nothing yet. The server sees `application_name`
    /// unless the user chose a name.
    pub fn new(settings: &Settings, application_name: &str) -> Result<Self> {
        Ok(Connector {
            settings: Arc::new(settings.clone()),
            application_name: application_name.into(),
            tls: settings.tls_connector()?,
            on_notice: Arc::new(log_notice),
            last_ending: Arc::default(),
        })
    }

    /// Hands notices to `callback` instead of the log.
    #[must_use]
    pub fn on_notice(mut self, callback: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Arc::new(callback);
        self
    }

    /// One connection.
    pub async fn connect(&self) -> Result<Session> {
        let opened = match self.settings.connect_limit() {
            None => self.open().await,
            Some(limit) => match tokio::time::timeout(limit, self.open()).await {
                Ok(opened) => opened,
                Err(_) => return Err(describe_silence(limit, &self.settings)),
            },
        };
        match opened {
            Ok(live) => Ok(Session::new(live)),
            Err(error) => Err(describe(error, &self.settings)),
        }
    }

    /// A pool of at most `max_size` connections; none is made before it is wanted. A
    /// connection goes back only after the server answered on it.
    pub fn pool(&self, max_size: usize) -> Result<Pool> {
        let manager = Manager::from_connect(
            // Not used: `open` has a configuration for each host.
            Config::new(),
            self.clone(),
            ManagerConfig {
                recycling_method: RecyclingMethod::Verified,
            },
        );
        Pool::builder(manager)
            .max_size(max_size)
            .create_timeout(self.settings.connect_limit())
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::failed("the connection pool cannot be made").caused_by(error))
    }

    /// The server's last words on the connection that ended last. A pool hides its
    /// connections' tasks, so this is where a `57P01` shows up.
    pub fn last_words(&self) -> Option<ServerError> {
        self.last_ending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|ending| ending.server_error())
    }

    async fn open(&self) -> Result<Live, tokio_postgres::Error> {
        let name = match &self.settings.application_name {
            // Ours comes first: takeovers know a loader's sessions by it.
            Some(users) => format!("{} ({users})", self.application_name),
            None => self.application_name.to_string(),
        };
        self.settings
            .connect(&name, |config| self.open_with(config))
            .await
    }

    async fn open_with(&self, config: Config) -> Result<Live, tokio_postgres::Error> {
        let last_ending = Arc::clone(&self.last_ending);
        let on_end = move |ending: &Arc<Ending>| {
            *last_ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(ending));
        };
        let on_notice = Arc::clone(&self.on_notice);
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                Ok(spawn(client, connection, on_notice, on_end))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                Ok(spawn(client, connection, on_notice, on_end))
            }
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.settings)
    }
}

type Connecting<'a> = Pin<
    Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + 'a>,
>;

/// The pool cuts a connection it drops, as one must after a timeout: a statement in flight
/// leaves the session in an unknown state.
impl Connect for Connector {
    fn connect(&self, _: &Config) -> Connecting<'_> {
        Box::pin(async {
            let live = self.open().await?;
            Ok((live.client, live.task))
        })
    }
}
