//! The loads of a whole file, each into a fresh database, each checked.

use crate::Failure;
use crate::args::{Args, Case};
use crate::cluster::Cluster;
use crate::files::{self, Format, Variant};
use crate::orders::Order;
use crate::process::{self, Finished};
use crate::sums::Sums;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

/// The database that is loaded; made anew from the embedded server's for every case.
pub(crate) const DATABASE: &str = "bench";

/// One measurement.
pub(crate) struct Sample {
    pub(crate) seconds: f64,
    pub(crate) wal_bytes: u64,
    pub(crate) peak_kib: Option<u64>,
    pub(crate) cpu_seconds: Option<f64>,
}

pub(crate) struct Bench<'a> {
    pub(crate) args: &'a Args,
    pub(crate) cluster: Cluster,
    pub(crate) samples: Vec<(Case, Sample)>,
    files: Option<Files>,
}

struct Files {
    plain: (PathBuf, Sums),
    again: PathBuf,
    changed: (PathBuf, Sums),
    bad: (PathBuf, Sums),
    csv: PathBuf,
    small: PathBuf,
    open: PathBuf,
}

impl Files {
    fn write(folder: &Path, args: &Args) -> Result<Self, Failure> {
        let rows = args.rows;
        let write = |name: &str, variant| -> Result<(PathBuf, Sums), Failure> {
            let path = folder.join(name);
            let sums = files::write(&path, rows, Format::Ndjson, variant)?;
            Ok((path, sums))
        };
        let files = Files {
            plain: write("orders.ndjson", Variant::Plain)?,
            changed: write("changed.ndjson", Variant::Changed)?,
            bad: write("bad.ndjson", Variant::Bad)?,
            again: folder.join("again.ndjson"),
            csv: folder.join("orders.csv"),
            small: folder.join("small"),
            open: folder.join("open.ndjson"),
        };
        std::fs::hard_link(&files.plain.0, &files.again)?;
        if files::write(&files.csv, rows, Format::Csv, Variant::Plain)? != files.plain.1 {
            return Err("CSV and NDJSON do not hold the same orders".into());
        }
        std::fs::create_dir(&files.small)?;
        for id in 1..=args.rows_of(Case::Small) {
            let mut file = File::create(files.small.join(format!("{id:05}.ndjson")))?;
            Order::new(id).write_json(&mut file, None)?;
        }
        std::fs::write(&files.open, "{\"order_id\": \"none\"}\n")?;
        Ok(files)
    }
}

impl<'a> Bench<'a> {
    /// Starts the server, installs the engine, defines the pipeline, writes the files.
    pub(crate) fn prepare(args: &'a Args) -> Result<Self, Failure> {
        eprintln!("starting a server, writing files");
        let cluster = Cluster::start()?;
        let mut bench = Bench { args, cluster, samples: Vec::new(), files: None };
        let definition = bench.cluster.folder.join("orders.sql");
        std::fs::write(&definition, include_str!("orders.sql"))?;
        process::run(bench.sluice("sluice", ["migrate"]), None)?;
        let apply = [OsStr::new("apply"), definition.as_os_str()];
        process::run(bench.sluice("sluice", apply), None)?;
        if args.wants_loads() {
            bench.files = Some(Files::write(&bench.cluster.folder, args)?);
        }
        Ok(bench)
    }

    /// The optimised `sluice` on a database.
    pub(crate) fn sluice<A: AsRef<OsStr>>(
        &self,
        database: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
        process::without_postgres_variables(&mut command);
        command
            .env("DATABASE_URL", self.cluster.url(database))
            .env("SLUICE_ALLOW_FILES", "*")
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// `sluice run orders` from `path`.
    pub(crate) fn load(&self, path: &Path) -> Command {
        self.load_by("orders", path)
    }

    fn load_by(&self, pipeline: &str, path: &Path) -> Command {
        let mut command = self.sluice(DATABASE, ["run", pipeline, "--path"]);
        command.arg(path);
        if let Some(workers) = self.args.workers {
            command.args(["--workers", &workers.to_string()]);
        }
        if let Some(rows) = self.args.batch_rows {
            command.args(["--batch-rows", &rows.to_string()]);
        }
        command
    }

    /// Makes the database anew.
    pub(crate) fn fresh(&self) -> Result<(), Failure> {
        let drop = format!("drop database if exists {DATABASE} with (force)");
        self.cluster.query("postgres", &drop)?;
        let create = format!("create database {DATABASE} template sluice");
        self.cluster.query("postgres", &create)?;
        Ok(())
    }

    /// Runs a program after a checkpoint, which every measurement then has behind it alike.
    pub(crate) fn measure(
        &self,
        command: Command,
        feed: Option<Box<dyn FnOnce(ChildStdin) + Send>>,
    ) -> Result<(Finished, Sample), Failure> {
        self.cluster.query("postgres", "checkpoint")?;
        let before = self.cluster.wal()?;
        let finished = process::run(command, feed)?;
        let sample = Sample {
            seconds: finished.seconds,
            wal_bytes: self.cluster.wal()? - before,
            peak_kib: finished.peak_kib,
            cpu_seconds: finished.cpu_seconds,
        };
        Ok((finished, sample))
    }

    /// Loads a file, checks the summary, keeps the sample.
    fn load_as(
        &mut self,
        case: Case,
        path: &Path,
        expected: &[(&str, u64)],
    ) -> Result<(), Failure> {
        let pipeline = match case {
            Case::Rows | Case::CsvRows => "orders_rows",
            Case::Meta => "orders_meta",
            _ => "orders",
        };
        let (finished, sample) = self.measure(self.load_by(pipeline, path), None)?;
        check_summary(&finished.stdout, expected)?;
        if self.args.wants(case) {
            self.samples.push((case, sample));
        }
        Ok(())
    }

    fn check_table(&self, table: &str, expected: &Sums) -> Result<(), Failure> {
        let found = self.cluster.query(DATABASE, &format!("select {} from {table}", Sums::SQL))?;
        if found != expected.line() {
            return Err(
                format!("{table} has the sums {found}\n  expected {}", expected.line()).into()
            );
        }
        Ok(())
    }

    /// Every load once.
    pub(crate) fn round(&mut self) -> Result<(), Failure> {
        let Some(files) = self.files.take() else {
            return Ok(());
        };
        let rows = self.args.rows;
        let chosen = files::chosen(rows);
        if self.args.wants(Case::Copy) {
            self.fresh()?;
            let copy = format!(
                "\\copy bench.copied from '{}' with (format csv, header)",
                files.csv.display()
            );
            let mut psql = self.cluster.psql(DATABASE);
            psql.args(["-c", &copy]);
            let (_, sample) = self.measure(psql, None)?;
            self.check_table("bench.copied", &files.plain.1)?;
            self.samples.push((Case::Copy, sample));
        }
        if [Case::First, Case::Nothing, Case::Same, Case::Changed]
            .iter()
            .any(|case| self.args.wants(*case))
        {
            self.fresh()?;
            let plain = &files.plain;
            let all = [("extracted", rows), ("transformed", rows)];
            self.load_as(Case::First, &plain.0, &with(&all, &[("inserted", rows)]))?;
            self.check_table("bench.orders", &plain.1)?;

            self.load_as(Case::Nothing, &plain.0, &[])?;

            // What autovacuum would do some time, so that it does not do it just now.
            let settle = "vacuum (analyze) bench.orders";
            let last = "select max(sluice_batch), max(xmin::text::bigint) from bench.orders";
            self.cluster.query(DATABASE, settle)?;
            let before = self.cluster.query(DATABASE, last)?;
            self.load_as(Case::Same, &files.again, &with(&all, &[("unchanged", rows)]))?;
            if self.cluster.query(DATABASE, last)? != before {
                return Err("rows that had not changed were written".into());
            }

            let mix = [("updated", chosen), ("unchanged", rows - chosen)];
            self.load_as(Case::Changed, &files.changed.0, &with(&all, &mix))?;
            self.check_table("bench.orders", &files.changed.1)?;
        }
        if self.args.wants(Case::Bad) {
            self.fresh()?;
            let expected = [
                ("extracted", rows),
                ("transformed", rows - chosen),
                ("quarantined", chosen),
                ("inserted", rows - chosen),
            ];
            self.load_as(Case::Bad, &files.bad.0, &expected)?;
            self.check_table("bench.orders", &files.bad.1)?;
            self.check_quarantine(chosen)?;
        }
        if self.args.wants(Case::Csv) {
            self.fresh()?;
            let expected = ["extracted", "transformed", "inserted"].map(|name| (name, rows));
            self.load_as(Case::Csv, &files.csv, &expected)?;
            self.check_table("bench.orders", &files.plain.1)?;
        }
        let loads = [
            (Case::Rows, files.plain.0.clone()),
            (Case::CsvRows, files.csv.clone()),
            (Case::Meta, files.plain.0.clone()),
            (Case::Small, files.small.join("*.ndjson")),
            (Case::Open, files.plain.0.clone()),
        ];
        for (case, path) in loads {
            if !self.args.wants(case) {
                continue;
            }
            self.fresh()?;
            if case == Case::Open {
                let mut bad = self.load(&files.open);
                bad.args(["--max-bad-ratio", "1"]);
                process::run(bad, None)?;
            }
            let rows = self.args.rows_of(case);
            let expected = ["extracted", "transformed", "inserted"].map(|name| (name, rows));
            self.load_as(case, &path, &expected)?;
            let sums = match case {
                Case::Small => Sums::of_orders(rows),
                _ => files.plain.1,
            };
            self.check_table("bench.orders", &sums)?;
        }
        self.files = Some(files);
        Ok(())
    }

    /// Each bad record is there, with the error that is its own.
    fn check_quarantine(&self, bad: u64) -> Result<(), Failure> {
        let of_kind = |kind| (0..bad).filter(|n| n % 3 == kind).count();
        let expected = format!(
            "22007|created_at|0\n22008|created_at|{}\n22P02|amount|{}\n23502|order_id|{}",
            of_kind(2),
            of_kind(1),
            of_kind(0)
        );
        let found = self.cluster.query(
            DATABASE,
            "select e.sqlstate, e.column_name, count(q) from (values
               ('22007', 'created_at'), ('22008', 'created_at'), ('22P02', 'amount'), ('23502', 'order_id')) e (sqlstate, column_name)
             left join sluice.quarantine q using (sqlstate, column_name) group by 1, 2 order by 1",
        )?;
        if found != expected {
            return Err(format!("the quarantine holds\n{found}\nexpected\n{expected}").into());
        }
        Ok(())
    }
}

fn with<'n>(some: &[(&'n str, u64)], more: &[(&'n str, u64)]) -> Vec<(&'n str, u64)> {
    [some, more].concat()
}

/// Compares the counters of the summary line; those not expected have to be 0.
pub(crate) fn check_summary(stdout: &str, expected: &[(&str, u64)]) -> Result<(), Failure> {
    let line = stdout.lines().last().unwrap_or_default();
    let found: HashMap<&str, &str> =
        line.split(' ').filter_map(|pair| pair.split_once('=')).collect();
    let counters = [
        "extracted",
        "transformed",
        "filtered",
        "quarantined",
        "inserted",
        "updated",
        "deleted",
        "unchanged",
        "stale",
        "superseded",
        "retried",
    ];
    for name in counters {
        let expected = expected.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count);
        if found.get(name) != Some(&expected.to_string().as_str()) {
            return Err(format!("expected {name}={expected} in: {line}").into());
        }
    }
    Ok(())
}
