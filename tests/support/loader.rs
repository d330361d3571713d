//! A `sluice run` that is going on: to be killed, stopped, woken, waited for.

use super::sluice::Done;
use super::{Proxy, Sluice, TestDb};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::process::Child;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub struct Loader {
    child: Child,
    /// What it writes is read all the time, so that a full pipe does not stop it.
    output: Option<[JoinHandle<String>; 2]>,
}

const PATIENCE: Duration = Duration::from_secs(90);

impl Loader {
    /// Starts `sluice run` straight on `db`.
    pub fn start(db: &TestDb, args: &str) -> Self {
        Self::of(Sluice::on(db).args(words(args)))
    }

    /// Starts `sluice run` through `proxy`, whose faults hit it.
    pub fn start_through(proxy: &Proxy, db: &TestDb, args: &str) -> Self {
        Self::command_through(proxy, db, words(args))
    }

    /// Starts any command through `proxy`, whose faults hit it.
    pub fn command_through(proxy: &Proxy, db: &TestDb, args: Vec<&str>) -> Self {
        let command = Sluice::bare().env("DATABASE_URL", proxy.url(db));
        Self::hit(proxy, command.args(args))
    }

    /// Starts a command line that `proxy`'s faults hit.
    pub fn hit(proxy: &Proxy, command: Sluice) -> Self {
        let loader = Self::of(command);
        proxy.aim(loader.child.id());
        loader
    }

    /// Starts a command line that the caller made.
    pub fn of(command: Sluice) -> Self {
        let mut child = command.spawn();
        let output =
            [read_all(child.stdout.take().unwrap()), read_all(child.stderr.take().unwrap())];
        Loader { child, output: Some(output) }
    }

    pub fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.send(Signal::SIGKILL);
    }

    /// Stops it where it is.
    pub fn freeze(&self) {
        self.send(Signal::SIGSTOP);
    }

    /// Lets a stopped one go on.
    pub fn wake(&self) {
        self.send(Signal::SIGCONT);
    }

    pub fn interrupt(&self) {
        self.send(Signal::SIGINT);
    }

    pub fn terminate(&self) {
        self.send(Signal::SIGTERM);
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Done {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.kill();
                let [stdout, stderr] = self.output();
                panic!("the loader does not end\nstdout:\n{stdout}\nstderr:\n{stderr}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let [stdout, stderr] = self.output();
        Done { code: status.code(), stdout, stderr }
    }

    fn output(&mut self) -> [String; 2] {
        self.output.take().unwrap().map(|reader| reader.join().unwrap())
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Of a failed test; one that has ended is not hit.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `sluice run` straight on `db`, to its end.
pub fn run(db: &TestDb, args: &str) -> Done {
    Loader::start(db, args).wait()
}

/// [`run`] after a kill: until the server has noticed that the loader is dead, the dead one
/// holds the pipeline.
#[track_caller]
pub fn rerun(db: &TestDb, args: &str) -> Done {
    until_free(|| run(db, args))
}

/// Runs `attempt` until no dead loader holds the pipeline any more.
#[track_caller]
pub fn until_free(attempt: impl Fn() -> Done) -> Done {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let done = attempt();
        if done.code != Some(4) || Instant::now() > deadline {
            return done;
        }
        assert!(done.stderr.contains("held by another "), "{done:?}");
    }
}

fn words(args: &str) -> Vec<&str> {
    ["run"].into_iter().chain(args.split_whitespace()).collect()
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}
