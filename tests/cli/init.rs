//! `sluice init`: what it prints is applied and run as it is.

mod api;
mod files;
mod keys;
mod project;
mod sources;

use crate::support::sluice::Done;
use crate::support::{Sluice, Summary, TestDb};
use std::path::Path;

/// A user with a database and a folder.
struct Desk {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        Desk { db: TestDb::new().await, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn sluice(&self, args: &[&str]) -> Done {
        let sluice = Sluice::on(&self.db).current_dir(self.path());
        sluice.args(args).run()
    }

    /// The text that `sluice init` prints. It needs no database.
    #[track_caller]
    fn init(&self, args: &[&str]) -> String {
        let args = [&["init"], args].concat();
        let done = Sluice::bare().current_dir(self.path()).args(args).run();
        done.exits(0).stdout
    }

    /// What `sluice init` refuses.
    #[track_caller]
    fn refusal(&self, args: &[&str]) -> String {
        let args = [&["init"], args].concat();
        let done = Sluice::bare().current_dir(self.path()).args(args).run();
        done.exits(2).stderr
    }

    /// Applies a text of `sluice init` and runs the pipeline.
    #[track_caller]
    fn load(&self, text: &str, pipeline: &str) -> Summary {
        self.write("pipeline.sql", text);
        let applied = self.sluice(&["apply", "pipeline.sql"]);
        assert_eq!(applied.code, Some(0), "{text}\n{}", applied.stderr);
        let run = self.sluice(&["run", pipeline]);
        assert_eq!(run.code, Some(0), "{text}\n{}", run.stderr);
        run.summary()
    }

    /// Prints, applies and runs; every record must be loaded.
    #[track_caller]
    fn all(&self, args: &[&str], pipeline: &str) -> (String, i64) {
        let text = self.init(args);
        let summary = self.load(&text, pipeline);
        assert_eq!(summary.count("quarantined"), 0, "{text}");
        let inserted = summary.count("inserted");
        assert_eq!(summary.count("extracted"), inserted, "{text}");
        (text, inserted)
    }

    /// The columns of a table and their types.
    async fn columns(&self, table: &str) -> String {
        let sql = format!(
            "select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum)
             from pg_attribute a where attrelid = '{table}'::regclass and attnum > 0 and attname not like 'sluice%'"
        );
        self.db.value(&sql).await
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        self.db.rows(sql).await
    }
}
