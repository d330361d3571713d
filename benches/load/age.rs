//! The commands of a day on an installation in its fifth year, see `age.sql`: spread evenly, and heaped on one pipeline.

use crate::Failure;
use crate::cases::Bench;
use crate::process;
use crate::table::aligned;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

const PIPELINES: u64 = 500;
const BATCHES: u64 = 200_000;
const OPEN: u64 = 1_000_000;
const SHAPES: [&str; 2] = ["even", "one"];

/// What is measured: its name, and the command; `{file}` and `{ids}` are of p1.
const COMMANDS: [(&str, &[&str]); 18] = [
    ("status", &["status"]),
    ("status p1", &["status", "p1"]),
    ("quarantine, 10 records", &["quarantine", "p1", "--limit", "10"]),
    ("quarantine --by-error", &["quarantine", "p1", "--by-error"]),
    ("why, of a record that left its key", &["why", "p1", r#"{"id": 100500001}"#]),
    ("why, of one that did not", &["why", "p1", r#"{"id": 100500000}"#]),
    ("replay of 5 records, dry", &["replay", "p1", "--ids", "{ids}", "--dry-run"]),
    ("run, nothing new", &["run", "p1"]),
    ("rewind --to-start, dry", &["rewind", "p1", "--to-start", "--dry-run"]),
    ("rewind --object", &["rewind", "p1", "--object", "{file}"]),
    ("rewind --to-start, dry, after it", &["rewind", "p1", "--to-start", "--dry-run"]),
    ("verify p2", &["verify", "p2"]),
    ("verify p1", &["verify", "p1"]),
    ("verify, all", &["verify"]),
    ("doctor", &["doctor"]),
    ("prune of three years, dry", &["prune", "--history-before", "2024-01-01", "--dry-run"]),
    ("prune of three years", &["prune", "--history-before", "2024-01-01"]),
    ("verify, all, after it", &["verify"]),
];

/// Makes both installations and runs every command once in each. Beside the time that passed stands that of the
/// processor, sluice's and the server's: the first depends on what else the machine does.
pub(crate) fn measure(bench: &Bench) -> Result<String, Failure> {
    let mut table = vec![vec!["seconds".to_owned()]];
    table[0].extend(SHAPES.into_iter().flat_map(|shape| [shape.to_owned(), "CPU".to_owned()]));
    table.extend(COMMANDS.map(|(name, _)| vec![name.to_owned()]));
    for shape in SHAPES {
        let database = format!("aged_{shape}");
        eprintln!("age, {shape}: making {BATCHES} batches and {OPEN} open records");
        let folder = bench.cluster.folder.join(&database);
        write_files(&folder, shape)?;
        bench.cluster.query("postgres", &format!("create database {database}"))?;
        process::run(bench.sluice(&database, ["migrate"]), None)?;
        let script = bench.cluster.folder.join("age.sql");
        std::fs::write(&script, include_str!("age.sql"))?;
        let mut psql = bench.cluster.psql(&database);
        for (name, value) in [("pipelines", PIPELINES), ("batches", BATCHES), ("open", OPEN)] {
            psql.args(["-v", &format!("{name}={value}")]);
        }
        psql.args(["-v", &format!("shape={shape}"), "-v", &format!("folder={}", folder.display())]);
        psql.arg("-f").arg(&script);
        process::run(psql, None)?;
        let ids = "select array_to_string(array(select sluice.find_quarantined('p1', max_rows => 5)), ',')";
        let ids = bench.cluster.query(&database, ids)?;
        let file = folder.join("p1/000007.ndjson").display().to_string();
        for ((name, args), row) in COMMANDS.iter().zip(&mut table[1..]) {
            eprintln!("age, {shape}: {name}");
            let args: Vec<_> = args
                .iter()
                .map(|arg| arg.replace("{ids}", &ids).replace("{file}", &file))
                .collect();
            let before = bench.cluster.cpu_of_ended_sessions();
            let done = process::run(bench.sluice(&database, &args), None)?;
            let server = (bench.cluster.cpu_of_ended_sessions()).zip(before);
            let cpu = server.zip(done.cpu_seconds);
            row.push(format!("{:.2}", done.seconds));
            row.push(cpu.map_or_else(String::new, |((after, before), client)| {
                format!("{:.2}", after - before + client)
            }));
        }
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(aligned(&table))
}

/// The files that p1 has read, as the ledger of `age.sql` has them.
fn write_files(folder: &Path, shape: &str) -> Result<(), Failure> {
    for number in 1..=PIPELINES {
        std::fs::create_dir_all(folder.join(format!("p{number}")))?;
    }
    let folder = folder.join("p1");
    let files = match shape {
        "even" => BATCHES / PIPELINES,
        _ => BATCHES - PIPELINES + 1,
    };
    for number in 1..=files {
        let id = match shape {
            "even" => (number - 1) * PIPELINES + 1,
            _ => number + PIPELINES - 1,
        };
        let path = folder.join(format!("{number:06}.ndjson"));
        std::fs::write(&path, format!("{{\"id\": {id}, \"amount\": \"1.5\"}}\n"))?;
        File::options()
            .write(true)
            .open(&path)?
            .set_modified(UNIX_EPOCH + Duration::from_secs(1_767_225_600))?;
    }
    Ok(())
}
