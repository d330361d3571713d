//! Makes connections, alone or for a pool.

use super::named::named;
use super::refusal::{describe, describe_silence};
use super::session::{Notice, OnNotice, Session, log_notice, spawn};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::secret::{Redactor, SecretLocation};
use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts,
};
use futures_util::future::try_join_all;
use libpq_conninfo::{Settings, Tls};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

/// Makes connections with the same settings. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
    application_name: Arc<str>,
    tls: Option<Tls>,
    on_notice: OnNotice,
    /// What is connected, and where its connection string is kept, if a pipeline names it.
    named: Option<Arc<str>>,
    /// Connections that were made ahead.
    ready: Arc<Mutex<Vec<Session>>>,
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
            named: None,
            ready: Arc::default(),
        })
    }

    /// To a database that a pipeline names: `what` is connected by the string in `location`, if this host allows it.
    pub(crate) fn to_named(
        location: &SecretLocation,
        what: &str,
        host: &HostRules,
        secrets: &Redactor,
        application_name: &str,
    ) -> Result<Self> {
        let settings = named(location, what, host, secrets)?;
        let named = Some(format!("the connection of the {what} ({location})").into());
        Ok(Connector { named, ..Connector::new(&settings, application_name)? })
    }

    /// Hands notices to `callback` instead of the log.
    #[must_use]
    pub fn on_notice(mut self, callback: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Arc::new(callback);
        self
    }

    /// The same with so many connections made ahead, which are handed out first.
    pub(crate) async fn with_connections(&self, count: usize) -> Result<Self> {
        let sessions = try_join_all((0..count).map(|_| self.connect_anew())).await?;
        Ok(Connector { ready: Arc::new(Mutex::new(sessions)), ..self.clone() })
    }

    /// A connection that was made ahead, if one is left.
    fn ready(&self) -> Option<Session> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|session| !session.is_closed());
        ready.pop()
    }

    /// One connection.
    pub async fn connect(&self) -> Result<Session> {
        match self.ready() {
            Some(session) => Ok(session),
            None => self.connect_anew().await,
        }
    }

    fn explain(&self, error: Error) -> Error {
        let Some(named) = &self.named else {
            return error;
        };
        let error = error.context(named);
        match error.next_step().is_some_and(|step| step.contains("PGPASSWORD")) {
            true => error.next(
                "check the password: it stands in the connection string, and nothing else is used for a database that a pipeline names",
            ),
            false => error,
        }
    }

    async fn connect_anew(&self) -> Result<Session> {
        let opened = match self.settings.connect_limit() {
            None => self.open().await,
            Some(limit) => match tokio::time::timeout(limit, self.open()).await {
                Ok(opened) => opened,
                Err(_) => return Err(self.explain(describe_silence(limit, &self.settings))),
            },
        };
        opened.map_err(|error| self.explain(describe(error, &self.settings)))
    }

    /// A pool of at most `max_size` connections; none is made before it is wanted. A connection goes back
    /// only after the server has answered on it. Nobody waits for one that is in use, as it may be the
    /// caller's own.
    pub fn pool(&self, max_size: usize) -> Result<Pool> {
        let manager = Manager::from_connect(
            // Not used: `open` has a configuration for each host.
            Config::new(),
            self.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Verified },
        );
        Pool::builder(manager)
            .max_size(max_size)
            .timeouts(Timeouts {
                wait: Some(Duration::ZERO),
                create: self.settings.connect_limit(),
                recycle: self.settings.connect_limit(),
            })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::failed("the connection pool cannot be made").caused_by(error))
    }

    /// Waits for an answer as long as the server is alive: each time it has taken as long as a connect may,
    /// the server is asked for another connection. A connection does not show by itself that the other side
    /// has fallen silent.
    pub(crate) async fn while_alive<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        let mut answer = pin!(answer);
        let Some(limit) = self.settings.connect_limit() else {
            return Ok(answer.await);
        };
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer),
                () = tokio::time::sleep(limit) => {}
            }
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer),
                heard = self.connect_anew() => match heard {
                    // Whatever it says, it is there.
                    Err(error) if error.sqlstate().is_none() => return Err(error),
                    _ => tracing::debug!("the server is alive; still waiting for an answer"),
                },
            }
        }
    }

    async fn open(&self) -> Result<Session, tokio_postgres::Error> {
        let name = match &self.settings.application_name {
            // Ours comes first: takeovers know a loader's sessions by it.
            Some(users) => format!("{} ({users})", self.application_name),
            None => self.application_name.to_string(),
        };
        self.settings.connect(&name, |config| self.open_with(config)).await
    }

    async fn open_with(&self, config: Config) -> Result<Session, tokio_postgres::Error> {
        let on_notice = Arc::clone(&self.on_notice);
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                Ok(spawn(client, connection, on_notice))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                Ok(spawn(client, connection, on_notice))
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
            let session = match self.ready() {
                Some(session) => session,
                None => self.open().await?,
            };
            Ok((session.client, session.task))
        })
    }
}
