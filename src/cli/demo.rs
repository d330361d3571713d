//! `sluice demo`: the main job on real data and an embedded server, told in five steps. Every
//! command shown is run, by this same binary.

mod stage;

use super::args;
use super::context::Context;
use super::{diagnostics, terminal};
use crate::embedded;
use crate::error::{Error, Result};
use embedded_postgres::{Offer, Server};
use stage::Stage;
use std::fs;
use std::io::{IsTerminal, stderr, stdin};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the demo loads, under the names the example pipelines read.
const FILES: &[(&str, &[u8])] = &[
    ("demo/data/airlines.csv", include_bytes!("../../demo/data/airlines.csv")),
    ("demo/data/airports.csv", include_bytes!("../../demo/data/airports.csv")),
    (
        "demo/data/flights/2013-01.ndjson.gz",
        include_bytes!("../../demo/data/flights/2013-01.ndjson.gz"),
    ),
    ("sql/examples/airlines.sql", include_bytes!("../../sql/examples/airlines.sql")),
    ("sql/examples/airports.sql", include_bytes!("../../sql/examples/airports.sql")),
    ("sql/examples/flights.sql", include_bytes!("../../sql/examples/flights.sql")),
];

/// The second drop. Its name sorts behind the first.
const CORRECTIONS: (&str, &[u8]) = (
    "demo/data/flights/2013-02-corrections.ndjson",
    include_bytes!("../../demo/data/corrections/2013-01-corrections.ndjson"),
);

const DATABASE: &str = "demo";

pub(super) async fn demo(_: &Context, args: &args::Demo) -> Result<u8> {
    let home = embedded::home();
    println!("Real flights out of New York, January 2013, into a Postgres of their own.\n");
    let server = embedded::at(&home).start_or_install(|offer| agrees(args.yes, offer))?;
    let started = Instant::now();
    println!("PostgreSQL {} runs in {}", server.major, home.display());
    let server = with_database(server).await?;
    let stage = Stage {
        folder: prepare(&home)?,
        session: crate::db::connect(&embedded::settings(&server), "sluice demo").await?,
        server,
    };
    stage.sluice(&["migrate"])?;
    stage.sluice(&["apply", "sql/examples"])?;

    stage.title(1, "First load: the lookup tables, then the flights");
    for pipeline in ["airlines", "airports", "flights"] {
        stage.run(&["run", pipeline])?;
    }

    stage.title(2, "The same drop under another name: nothing is written");
    let (name, again) = (&FILES[2].0.replace("2013-01", "2013-01-again"), FILES[2].1);
    write(&stage.folder, name, again)?;
    stage.run(&["run", "flights"])?;

    stage.title(3, "Corrections arrive: changes, repeats, older versions, broken lines");
    write(&stage.folder, CORRECTIONS.0, CORRECTIONS.1)?;
    stage.run(&["run", "flights"])?;
    stage.show(&["quarantine", "flights", "--by-error"], 6)?;

    stage.title(4, "All of it again into the emptied table, killed half-way, then resumed");
    // Two drops are enough for this step.
    fs::remove_file(stage.folder.join(name)).map_err(|error| unwritable(&stage.folder, error))?;
    let before = stage.digest().await?;
    stage.session.batch_execute("truncate nyc.flights").await?;
    stage.show(&["rewind", "flights", "--to-start"], 1)?;
    stage.kill_half_way().await?;
    stage.run(&["run", "flights"])?;
    let after = stage.digest().await?;
    if before != after {
        return Err(Error::failed(format!(
            "the resumed table differs: {before:?}, then {after:?}"
        ))
        .next("this is a bug; please report it with the output above"));
    }
    println!("  {} rows, the same to the byte as before the kill", after.0);

    stage.title(5, "Proof, and where to look next");
    stage.show(&["verify", "flights"], 5)?;
    println!(
        "\n  export DATABASE_URL=\"$(sluice db url --database {DATABASE})\"\n  sluice status\n  sluice quarantine flights --limit 3\n  sluice db psql --database {DATABASE}\n    table sluice.quarantine_by_error;\n    select sluice.merge_sql('flights');\n    table sluice.manual;\n  sluice db stop\n\nDone in {:.1} s. The pipelines are in {}; the README says how to write your own.",
        started.elapsed().as_secs_f64(),
        stage.folder.join("sql/examples").display()
    );
    Ok(0)
}

/// Whether PostgreSQL may be fetched: asked only if somebody can answer.
fn agrees(yes: bool, offer: &Offer<'_>) -> bool {
    if yes || !(stdin().is_terminal() && stderr().is_terminal()) {
        diagnostics::note(&format!("PostgreSQL is not installed here; fetching {offer}"));
        return true;
    }
    terminal::err(&format!("PostgreSQL is not installed here. Fetch {offer}? [Y/n] "));
    let mut answer = String::new();
    let is_read = stdin().read_line(&mut answer).is_ok_and(|bytes| bytes > 0);
    is_read && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

/// Makes the demo's own database anew; what users have on the same server is left alone.
async fn with_database(server: Server) -> Result<Server> {
    let session = crate::db::connect(&embedded::settings(&server), "sluice demo").await?;
    for statement in ["drop database if exists {} with (force)", "create database {}"] {
        session.batch_execute(&statement.replace("{}", DATABASE)).await?;
    }
    Ok(Server { database: DATABASE.to_owned(), ..server })
}

/// Lays out the files the example pipelines read, in a folder of the demo's own.
fn prepare(home: &Path) -> Result<PathBuf> {
    let folder = home.join("demo");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| unwritable(&folder, error))?;
    }
    for (name, bytes) in FILES {
        write(&folder, name, bytes)?;
    }
    folder.canonicalize().map_err(|error| unwritable(&folder, error))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| unwritable(parent, error))?;
    }
    fs::write(&path, bytes).map_err(|error| unwritable(&path, error))
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("{} cannot be written", path.display()))
        .next("run the demo in a folder you may write to, or set SLUICE_HOME")
        .caused_by(error)
}
