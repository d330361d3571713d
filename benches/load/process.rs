//! Runs a program and watches what it needs.

use crate::Failure;
use std::io::Read;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the kernel is asked for a child's peak memory. The number is a high-water mark,
/// so only what grows in the last moment can be missed.
const STEP: Duration = Duration::from_millis(2);

/// A finished program.
pub(crate) struct Finished {
    pub(crate) stdout: String,
    pub(crate) seconds: f64,
    /// Peak resident memory in KiB; not known without /proc.
    pub(crate) peak_kib: Option<u64>,
    /// Processor seconds; not known without /proc.
    pub(crate) cpu_seconds: Option<f64>,
}

/// Runs it to its end and insists on exit code 0. `feed` writes its standard input.
pub(crate) fn run(
    mut command: Command,
    feed: Option<Box<dyn FnOnce(ChildStdin) + Send>>,
) -> Result<Finished, Failure> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if feed.is_some() {
        command.stdin(Stdio::piped());
    }
    let started = Instant::now();
    let mut child = command.spawn()?;
    let pid = child.id();
    let is_over = AtomicBool::new(false);
    let mut usage = (None, None);
    let mut stderr = child.stderr.take().ok_or("no standard error")?;
    let mut stdout = child.stdout.take().ok_or("no standard output")?;
    let stdin = child.stdin.take();
    let (mut said, mut told) = (String::new(), String::new());
    let (status, seconds) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                usage.0 = peak_kib(pid).or(usage.0);
                usage.1 = cpu_seconds(pid).or(usage.1);
                std::thread::sleep(STEP);
            }
        });
        if let (Some(feed), Some(stdin)) = (feed, stdin) {
            scope.spawn(move || feed(stdin));
        }
        scope.spawn(|| stderr.read_to_string(&mut told));
        let read = stdout.read_to_string(&mut said);
        let status = child.wait();
        let seconds = started.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Relaxed);
        (read.and(status), seconds)
    });
    if !status?.success() {
        return Err(format!("{command:?} failed\n{said}{told}").into());
    }
    Ok(Finished { stdout: said, seconds, peak_kib: usage.0, cpu_seconds: usage.1 })
}

/// Takes libpq's and sluice's variables away: the command line says where to connect.
pub(crate) fn without_postgres_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("PG") || name.starts_with("SLUICE") || name == "RUST_LOG" {
            command.env_remove(&*name);
        }
    }
}

fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn cpu_seconds(pid: u32) -> Option<f64> {
    ticks(pid, 11)
}

/// Processor seconds of all children that have ended.
pub(crate) fn cpu_seconds_of_ended_children(pid: u32) -> Option<f64> {
    ticks(pid, 13)
}

/// The command lines of a process's children; not known without /proc.
pub(crate) fn titles_of_children(pid: u32) -> Option<Vec<String>> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    let title =
        |child| std::fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
    Some(children.split_whitespace().map(title).collect())
}

/// The sum of two fields behind the name, where state is 0, utime 11, stime 12, cutime 13, cstime 14: all in hundredths
/// of a second.
fn ticks(pid: u32, first: usize) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
    Some((field(first)? + field(first + 1)?) as f64 / 100.0)
}
