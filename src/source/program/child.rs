//! A child process: its stderr, and its exit status.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child as Process, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::error::{Error, Result};
use crate::source::SourceContext;
use crate::source::children::Children;
use crate::source::secret::Redactor;

/// The last lines on stderr that an error shows, and their length in characters.
const LAST_LINES: usize = 10;
const LINE: usize = 500;

/// How long a program may run after it has closed its stdout.
const LINGERS: Duration = Duration::from_secs(60);
const STDERR_TIMEOUT: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(10);

/// A running program, killed when dropped.
pub(super) struct Child {
    name: String,
    process: Process,
    children: Children,
    secrets: Arc<Redactor>,
    said: StderrTail,
    listener: Option<JoinHandle<()>>,
    /// Its exit status, once it has ended.
    status: Option<ExitStatus>,
}

impl Child {
    /// Starts `command`, named `name` in messages; returns its stdout.
    pub(super) fn start(
        mut command: Command,
        name: &str,
        context: &SourceContext,
    ) -> Result<(Self, ChildStdout)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let cannot = |cause| {
            Error::failed(format!("the program `{name}` cannot be started"))
                .caused_by(cause)
                .next("start it by hand, as the user that runs sluice")
        };
        let mut process = command.spawn().map_err(cannot)?;
        let said = StderrTail::default();
        let streams = process.stdout.take().zip(process.stderr.take());
        let mut child = Child {
            name: name.to_owned(),
            process,
            children: context.children.clone(),
            secrets: Arc::clone(&context.secrets),
            said: said.clone(),
            listener: None,
            status: None,
        };
        child.children.add(child.group());
        let Some((stdout, stderr)) = streams else {
            return Err(Error::failed(format!("the program `{name}` has no output")));
        };
        let (name, secrets) = (name.to_owned(), Arc::clone(&context.secrets));
        let listener = thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || said.listen(&name, stderr, &secrets))
            .map_err(cannot)?;
        child.listener = Some(listener);
        Ok((child, stdout))
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.process.id()).unwrap_or(i32::MAX))
    }

    /// Waits for the exit status, which proves that the output is complete.
    pub(super) fn finish(&mut self) -> Result<()> {
        let status = self.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(self.failure(&how(status)))
    }

    /// Whether it has ended, which its output may outlast.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)))
    }

    /// The error about a program that has ended while its output goes on. Whatever holds that open is ended, too.
    pub(super) fn outlasted(&mut self) -> Error {
        match self.wait() {
            Ok(status) => {
                let what = "and a process that it started holds its output open";
                self.failure(&format!("{}, {what}", how(status))).next(
                    "let it wait for what it starts, or give that another stdout (>/dev/null), and run again: \
                     what came before is committed, and nothing is loaded twice",
                )
            }
            Err(error) => error,
        }
    }

    /// An error about the program, with its last lines on stderr.
    pub(super) fn failure(&self, how: &str) -> Error {
        let last = self.said.lines();
        let mut error = Error::failed(format!("the program `{}` {}", self.name, self.clean(how)));
        for line in last.iter() {
            error = error.detail(format!("stderr: {line}"));
        }
        error.next(
            "mend what it says, and run again: what came before is committed, and nothing is loaded twice",
        )
    }

    /// What it printed, without the secrets that it was given.
    pub(super) fn clean(&self, text: &str) -> String {
        self.secrets.clean(text)
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let began = Instant::now();
        let status = loop {
            match self.process.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if began.elapsed() > LINGERS => {
                    self.kill();
                    return Err(self.failure("closed its output and did not end"));
                }
                Ok(None) => thread::sleep(POLL),
                Err(cause) => {
                    return Err(self.failure("cannot be waited for").caused_by(cause));
                }
            }
        };
        self.over(status);
        Ok(status)
    }

    pub(super) fn kill(&mut self) {
        if self.status.is_none() {
            let _ = killpg(self.group(), Signal::SIGKILL);
            if let Ok(status) = self.process.wait() {
                self.over(status);
            }
        }
    }

    fn over(&mut self, status: ExitStatus) {
        self.status = Some(status);
        self.children.remove(self.group());
        // Wait for the rest of stderr, unless a descendant still holds it open.
        let began = Instant::now();
        while let Some(listener) = &self.listener
            && !listener.is_finished()
            && began.elapsed() < STDERR_TIMEOUT
        {
            thread::sleep(POLL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How it has ended.
fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "ended with exit status 0".to_owned(),
        (Some(code), _) => format!("failed with exit status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "failed".to_owned(),
    }
}

/// The last lines on stderr.
#[derive(Clone, Default)]
struct StderrTail(Arc<Mutex<VecDeque<String>>>);

impl StderrTail {
    /// Logs every line, without secrets.
    fn listen(&self, name: &str, stderr: ChildStderr, secrets: &Redactor) {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        loop {
            let read = stderr.by_ref().take(LINE as u64 * 4).read_until(b'\n', &mut line);
            let is_over = !matches!(read, Ok(1..));
            // A long line comes in pieces, and no secret is to be cut.
            let is_piece = !is_over && !line.ends_with(b"\n");
            let kept = if is_piece { secrets.begun(&line) } else { 0 };
            let rest = line.split_off(line.len() - kept);
            self.add(name, &secrets.clean(String::from_utf8_lossy(&line).trim_end()));
            line = rest;
            if is_over {
                return;
            }
        }
    }

    fn add(&self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        tracing::info!(program = name, "{text}");
        let mut last = self.lines();
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text.chars().take(LINE).collect());
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
