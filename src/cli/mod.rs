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
mod doctor;
mod init;
mod logging;
mod migrate;
mod quarantine;
mod reload;
mod replay;
mod rewind;
mod run;
mod status;
mod table;
mod verify;
mod why;

use crate::error::{Error, Result};
use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use context::Context;
use std::process::ExitCode;

/// Parses the command line, runs the command and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&Error::failed("the async runtime cannot be started").caused_by(error));
        }
    };
    let code = match runtime.block_on(dispatch(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    };
    // A reader stuck in a read of standard input is not waited for.
    runtime.shutdown_background();
    code
}

fn fail(error: &Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(error.kind().exit_code())
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
        Command::Prune(args) => calls::prune(&context, &args).await,
        Command::Verify(args) => verify::verify(&context, &args).await,
        Command::Versions(args) => calls::versions(&context, &args).await,
        Command::Activate(args) => calls::activate(&context, &args).await,
        Command::Show(args) => calls::show(&context, &args).await,
        Command::Set(args) => calls::set(&context, &args).await,
        Command::Pause(args) => calls::pause(&context, &args).await,
        Command::Resume(args) => calls::resume(&context, &args).await,
        Command::Drop(args) => calls::drop(&context, &args).await,
        Command::Doctor => doctor::doctor(&context).await,
        Command::Db { command } => db::db(&command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "sluice", &mut std::io::stdout());
            Ok(0)
        }
    }
}
