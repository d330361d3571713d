//! The benchmark: one run, everything side by side, every load checked. See benches/README.md.

mod age;
mod args;
mod big;
mod budget;
mod cases;
mod cluster;
mod export;
mod files;
mod http;
mod memory;
mod orders;
mod process;
mod sums;
mod table;

use args::{Args, Case};
use clap::Parser;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Whatever ends the benchmark.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("nothing measured: this is not an optimised build; use `cargo bench`");
        return ExitCode::SUCCESS;
    }
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    if let Some(folder) = &args.write_files {
        return export::write_files(folder, args.rows);
    }
    if let Some(folder) = args.pg_bin.as_deref()
        && std::env::var_os("PG_BIN").is_none_or(|set| set != folder)
    {
        // The embedded server's own way to be told; a process cannot safely set it for itself.
        return Err(Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env("PG_BIN", folder)
            .exec()
            .into());
    }
    let mut bench = cases::Bench::prepare(args)?;
    println!("{}", table::machine(&bench)?);
    if args.wants_loads() {
        for round in 1..=args.runs {
            eprintln!("round {round} of {}", args.runs);
            bench.round()?;
        }
        println!("{}", table::loads(&bench));
        table::check_ratios(&bench)?;
    }
    if args.wants(Case::Big) {
        println!("{}", big::measure(&mut bench)?);
    }
    if args.wants(Case::Memory) {
        println!("{}", memory::measure(&mut bench)?);
    }
    if args.wants(Case::Http) {
        println!("{}", http::measure(&mut bench)?);
    }
    if args.wants(Case::Budget) {
        println!("{}", budget::measure(&mut bench)?);
    }
    if args.wants(Case::Age) {
        println!("{}", age::measure(&bench)?);
    }
    Ok(())
}
