//! The command line: thin wrappers around SQL functions ([`calls`]) and the loader. Results go to
//! stdout, everything else to stderr.

#[macro_use]
mod terminal;

mod amend;
mod apply;
mod args;
mod backfill;
mod call;
mod calls;
mod changes;
mod compare;
mod context;
mod db;
mod deliver;
mod demo;
mod diagnostics;
mod doctor;
mod drift;
mod erase;
mod init;
mod logging;
mod migrate;
mod owners;
mod prune;
mod quarantine;
mod reconcile;
mod reload;
mod replay;
mod retyped;
mod rewind;
mod run;
mod status;
mod table;
mod verify;
mod why;

use crate::error::{Error, Result};
use crate::report::ProgressDisplay;
use crate::stop::{Arrived, Stop};
use args::{Cli, Command, LogFormat};
use clap::{CommandFactory, Parser};
use context::Context;
use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use tokio::runtime::Runtime;

/// The threads that a run takes at least, besides its first.
const THREADS: usize = 5;

/// Parses the command line, runs the command and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let runtime = match try_threads().and_then(|()| runtime()) {
        Ok(runtime) => runtime,
        Err(cause) => {
            let error = Error::failed("the threads of a run cannot be started").caused_by(cause);
            return fail(&error.next("raise the limit of processes or of memory (`ulimit -a`)"));
        }
    };
    // Before anything else: from here on a signal leads to its exit code.
    let listening = runtime.block_on(async { Stop::listen(announce) });
    let code = match listening.and_then(|()| parse()) {
        Ok(cli) => match runtime.block_on(dispatch(cli)) {
            Ok(code) => ExitCode::from(terminal::exit_code(code)),
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    };
    // A reader stuck in a read of standard input is not waited for.
    runtime.shutdown_background();
    code
}

/// Makes as many threads at once as a run takes: without them the runtime would panic, or wait for ever.
fn try_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let _shut = gate.lock();
        let pass = || drop(gate.lock());
        (0..THREADS).try_for_each(|_| thread::Builder::new().spawn_scoped(scope, pass).map(drop))
    })
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The command line; where it is wrong, clap's own words end the process, unless JSON is asked for.
fn parse() -> Result<Cli> {
    let wrong = match Cli::try_parse() {
        Ok(cli) => return Ok(cli),
        Err(wrong) => wrong,
    };
    let mut words = std::env::args().skip(1);
    let (mut log_format, mut json) = (LogFormat::Text, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" => break,
            "--json" => json = true,
            "--log-format=json" => log_format = LogFormat::Json,
            "--log-format" if words.next().as_deref() == Some("json") => {
                log_format = LogFormat::Json
            }
            _ => {}
        }
    }
    if !wrong.use_stderr() || !json && log_format == LogFormat::Text {
        return match wrong.print() {
            Err(cause) if !wrong.use_stderr() && cause.kind() != ErrorKind::BrokenPipe => {
                Err(Error::failed("stdout cannot be written").caused_by(cause))
            }
            _ => std::process::exit(wrong.exit_code()),
        };
    }
    diagnostics::set(log_format, json, &ProgressDisplay::hidden());
    let text = wrong.render().to_string();
    let (message, more) = text.split_once('\n').unwrap_or((&text, ""));
    let more = more.lines().map(str::trim).filter(|line| !line.is_empty());
    Err(more.fold(Error::usage(message.trim_start_matches("error: ")), |error, line| {
        error.detail(line)
    }))
}

fn fail(error: &Error) -> ExitCode {
    diagnostics::failed(error);
    ExitCode::from(error.kind().exit_code())
}

/// What a signal does.
fn announce(arrived: Arrived) {
    match arrived {
        Arrived::Unattended => {}
        Arrived::First => diagnostics::note(
            "stopping: the batch in hand is finished first; a second signal rolls it back",
        ),
        Arrived::Again => diagnostics::note("stopping at once: the batch in hand is rolled back"),
    }
}

async fn dispatch(cli: Cli) -> Result<u8> {
    let context = Context::new(&cli)?;
    match cli.command {
        Command::Demo(args) => demo::demo(&context, &args).await,
        Command::Init(args) => init::init(&context, &args).await,
        Command::Migrate(args) => migrate::migrate(&context, &args).await,
        Command::Apply(args) => apply::apply(&context, &args).await,
        Command::Run(args) => run::run(&context, &args).await,
        Command::Status(args) => status::status(&context, &args).await,
        Command::Quarantine(args) => quarantine::quarantine(&context, &args).await,
        Command::Replay(args) => replay::replay(&context, &args).await,
        Command::Amend(args) => amend::amend(&context, &args).await,
        Command::Discard(args) => calls::discard(&context, &args).await,
        Command::Reopen(args) => calls::reopen(&context, &args).await,
        Command::Rewind(args) => rewind::rewind(&context, &args).await,
        Command::Skip(args) => calls::skip(&context, &args).await,
        Command::Backfill(args) => backfill::backfill(&context, &args).await,
        Command::Reload(args) => reload::reload(&context, &args).await,
        Command::Compare(args) => compare::compare(&context, &args).await,
        Command::Why(args) => why::why(&context, &args).await,
        Command::Deliver(args) => deliver::deliver(&context, &args).await,
        Command::Deliveries(args) => calls::deliveries(&context, &args).await,
        Command::Redeliver(args) => calls::redeliver(&context, &args).await,
        Command::Prune(args) => prune::prune(&context, &args).await,
        Command::Verify(args) => verify::verify(&context, &args).await,
        Command::Reconcile(args) => reconcile::reconcile(&context, &args).await,
        Command::Erase(args) => erase::erase(&context, &args).await,
        Command::Drift(args) => drift::drift(&context, &args).await,
        Command::Versions(args) => calls::versions(&context, &args).await,
        Command::Activate(args) => calls::activate(&context, &args).await,
        Command::Show(args) => calls::show(&context, &args).await,
        Command::Set(args) => calls::set(&context, &args).await,
        Command::Pause(args) => calls::pause(&context, &args).await,
        Command::Resume(args) => calls::resume(&context, &args).await,
        Command::Drop(args) => calls::drop(&context, &args).await,
        Command::Doctor(args) => doctor::doctor(&context, &args).await,
        Command::Db { command } => db::db(&command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sluice", &mut script);
            print!("{}", String::from_utf8_lossy(&script));
            Ok(0)
        }
    }
}
