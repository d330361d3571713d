//! A database of its own for every test, copied from one in which the engine is installed.

use super::server::{TestServer, shared};
use libpq_conninfo::Settings;
use pgsluice::db::{Connector, Session};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::OnceCell;
use tokio_postgres::SimpleQueryMessage;

const TEMPLATE: &str = "sluice_template";

pub struct TestDb {
    pub name: String,
    pub settings: Settings,
    pub url: String,
}

impl TestDb {
    /// A database with the engine installed.
    pub async fn new() -> Self {
        static TEMPLATE_MADE: OnceCell<()> = OnceCell::const_new();
        TEMPLATE_MADE
            .get_or_init(|| async {
                let admin = connect(&shared().settings()).await;
                admin.batch_execute("alter system set fsync = off").await.unwrap();
                admin.batch_execute("select pg_reload_conf()").await.unwrap();
                admin.batch_execute(&format!("create database {TEMPLATE}")).await.unwrap();
                let template = Self::of(shared(), TEMPLATE);
                pgsluice::install::migrate(&template.connector()).await.unwrap();
                template.wait_until_alone(&admin).await;
            })
            .await;
        Self::create(&format!("template {TEMPLATE}")).await
    }

    /// A database without engine.
    pub async fn empty() -> Self {
        Self::create("").await
    }

    /// A database named `name` on a server of the test's own.
    pub fn of(server: &TestServer, name: &str) -> Self {
        let mut settings = server.settings();
        settings.dbname = name.to_owned();
        let url = server.server.url().replace("/sluice?", &format!("/{name}?"));
        TestDb { name: name.to_owned(), settings, url }
    }

    /// The same database, seen by another role.
    pub fn seen_as(&self, role: &str) -> Self {
        let mut settings = self.settings.clone();
        let user = std::mem::replace(&mut settings.user, role.to_owned());
        TestDb {
            name: self.name.clone(),
            settings,
            url: self.url.replace(&format!("user={user}"), &format!("user={role}")),
        }
    }

    async fn create(options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&shared().settings()).await;
        // Two copies of one template at a time are refused.
        static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _one_at_a_time = COPYING.lock().await;
        admin.batch_execute(&format!("create database {name} {options}")).await.unwrap();
        Self::of(shared(), &name)
    }

    async fn wait_until_alone(&self, admin: &Session) {
        loop {
            let row = admin
                .query_one(
                    "select count(*) from pg_stat_activity where datname = $1",
                    &[&self.name],
                )
                .await
                .unwrap();
            if row.get::<_, i64>(0) == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    pub fn connector(&self) -> Connector {
        Connector::new(&self.settings, "sluice test").unwrap()
    }

    pub async fn connect(&self) -> Session {
        connect(&self.settings).await
    }

    /// A session, and the notices that it was sent.
    pub async fn connect_hearing(&self) -> (Session, Arc<Mutex<Vec<String>>>) {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&notices);
        let connector = (self.connector())
            .on_notice(move |notice| heard.lock().unwrap().push(format!("{notice:?}")));
        (connector.connect().await.unwrap(), notices)
    }

    /// Runs statements.
    pub async fn execute(&self, sql: &str) {
        if let Err(error) = self.connect().await.batch_execute(sql).await {
            panic!("{sql}\n{}", pgsluice::error::Error::from(error));
        }
    }

    /// The rows of a query as text, columns joined by `|`, null as `-`.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.connect().await, sql).await
    }

    /// Waits until a query says true.
    #[track_caller]
    pub fn wait_until(&self, sql: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let session = self.connect().await;
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while rows(&session, sql).await != ["t"] {
                assert!(
                    std::time::Instant::now() < deadline,
                    "{caller} waited in vain until {sql}"
                );
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }

    /// Insists that every check of `sluice.verify`, row by row, passes.
    #[track_caller]
    pub fn is_sound(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let broken = "select pipeline_name, check_name, detail from sluice.verify(deep => true) where not is_ok";
            assert_eq!(self.rows(broken).await, [""; 0], "{caller}");
        }
    }

    /// The server's Unix socket.
    pub fn socket(&self) -> std::path::PathBuf {
        let host = &self.settings.hosts[0];
        std::path::Path::new(&host.host).join(format!(".s.PGSQL.{}", host.port))
    }

    /// The only value of a query, as text.
    pub async fn value(&self, sql: &str) -> String {
        let rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql} returned {rows:?}");
        rows.into_iter().next().unwrap()
    }
}

/// The rows of a query as text, columns joined by `|`, null as `-`.
pub async fn rows(session: &Session, sql: &str) -> Vec<String> {
    let messages = match session.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => panic!("{sql}\n{}", pgsluice::error::Error::from(error)),
    };
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or("-"))
                    .collect::<Vec<_>>()
                    .join("|"),
            ),
            _ => None,
        })
        .collect()
}

async fn connect(settings: &Settings) -> Session {
    pgsluice::db::connect(settings, "test").await.unwrap()
}
