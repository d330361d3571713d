//! Where the demo runs its commands: a folder, a server and this binary.

use super::super::call;
use crate::db::Session;
use crate::error::{Error, Result};
use embedded_postgres::Server;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What is in the target, without what differs from load to load.
const DIGEST: &str = "select count(*) as rows, encode(sha256(convert_to(coalesce(string_agg(
    (to_jsonb(f) - array['loaded_at', 'sluice_batch'])::text, e'\\n' order by flight_date, carrier, flight, origin), ''), 'UTF8')), 'hex') as sha256
  from nyc.flights f";

pub(super) struct Stage {
    pub(super) folder: PathBuf,
    pub(super) session: Session,
    pub(super) server: Server,
}

impl Stage {
    pub(super) fn title(&self, number: u32, title: &str) {
        println!("\n{number}. {title}");
    }

    fn command(&self, args: &[&str]) -> Result<Command> {
        let binary = std::env::current_exe()
            .map_err(|error| Error::failed("this binary cannot be found").caused_by(error))?;
        let mut command = Command::new(binary);
        command
            .args(args)
            .current_dir(&self.folder)
            .env("DATABASE_URL", self.server.url())
            .env("SLUICE_ALLOW_FILES", ".")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped());
        Ok(command)
    }

    /// Runs a command quietly; its output.
    pub(super) fn sluice(&self, args: &[&str]) -> Result<String> {
        let output = self
            .command(args)?
            .output()
            .map_err(|error| Error::failed("sluice cannot be started").caused_by(error))?;
        if !output.status.success() {
            return Err(Error::failed(format!("sluice {} failed", args.join(" ")))
                .detail(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a command and shows its first lines.
    pub(super) fn show(&self, args: &[&str], lines: usize) -> Result<()> {
        println!("  $ sluice {}", args.join(" "));
        let output = self.sluice(args)?;
        for line in output.lines().take(lines) {
            println!("    {line}");
        }
        if output.lines().count() > lines {
            println!("    … {} more", output.lines().count() - lines);
        }
        Ok(())
    }

    /// Runs a load and shows its summary without the zeros.
    pub(super) fn run(&self, args: &[&str]) -> Result<()> {
        println!("  $ sluice {}", args.join(" "));
        let output = self.sluice(args)?;
        let summary: Vec<&str> = output
            .lines()
            .last()
            .unwrap_or_default()
            .split(' ')
            .filter(|word| !word.ends_with("=0"))
            .collect();
        println!("    {}", summary.join(" "));
        Ok(())
    }

    pub(super) async fn digest(&self) -> Result<(String, String)> {
        let rows = call::rows(&self.session, DIGEST, &[]).await?;
        let text = |name: &str| rows.first().map(|row| row[name].to_string()).unwrap_or_default();
        Ok((text("rows"), text("sha256")))
    }

    /// Starts a load in small batches and kills it (SIGKILL) when some are committed.
    pub(super) async fn kill_half_way(&self) -> Result<()> {
        const BATCHES: i64 = 20;
        let committed = "select batch_seq from sluice.etl_state join sluice.pipelines using (pipeline_id) where name = 'flights'";
        let seq = async || -> Result<i64> {
            let rows = call::rows(&self.session, committed, &[]).await?;
            Ok(rows.first().and_then(|row| row["batch_seq"].as_i64()).unwrap_or(0))
        };
        let before = seq().await?;
        println!("  $ sluice run flights --batch-rows 500");
        let mut child = self
            .command(&["run", "flights", "--batch-rows", "500"])?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::failed("sluice cannot be started").caused_by(error))?;
        let is_running = |child: &mut std::process::Child| matches!(child.try_wait(), Ok(None));
        while is_running(&mut child) && seq().await? < before + BATCHES {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // On Unix this is SIGKILL: the loader has no chance to clean up.
        let _ = child.kill();
        let _ = child.wait();
        let rows =
            call::rows(&self.session, "select count(*) as rows from nyc.flights", &[]).await?;
        println!(
            "    killed (SIGKILL) after {} batches: {} rows in the table, the cursor with them",
            seq().await? - before,
            rows.first().map(|row| row["rows"].clone()).unwrap_or(Value::Null)
        );
        Ok(())
    }
}
