//! A proxy that reads along: it knows where PostgreSQL's messages begin and end, numbers them,
//! and does to any of them what networks and crashes do.

use super::TestDb;
use super::wire::{Asked, From, Message, read_message};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the loader; the message and all later ones are lost.
    KillBefore,
    /// The message arrives, then `kill -9` of the loader.
    KillAfter,
    /// The message is lost and its connection closed.
    CutBefore,
    /// The message arrives, then its connection is closed.
    CutAfter,
    /// The message is lost and the loader's end closed; the server does not notice.
    HalfOpen,
    /// The message waits for [`Proxy::release`], as on a network that hangs.
    Hold,
    /// `SIGSTOP` of the loader; what it sent before still arrives.
    Stop,
    /// `SIGSTOP` of the loader, and the message waits for [`Proxy::release`].
    StopAndHold,
    /// From here on nothing gets through in either direction until [`Proxy::release`].
    Silence,
}

type Rule = Box<dyn FnMut(&Message) -> Option<Fault> + Send>;

struct State {
    rule: Rule,
    log: Vec<Message>,
    victim: Option<i32>,
    fired: usize,
    is_silent: bool,
    is_released: bool,
    is_dead: bool,
}

struct Core {
    state: Mutex<State>,
    changed: Condvar,
    upstream: PathBuf,
}

/// The proxy in front of one server.
pub struct Proxy {
    core: Arc<Core>,
    port: u16,
}

const PATIENCE: Duration = Duration::from_secs(60);
/// What a guard says while its run goes on.
const HEARTBEAT: &str = "select 1";

impl Proxy {
    /// In front of `db`'s server. `rule` sees every message and decides its fate.
    pub fn new(db: &TestDb, rule: impl FnMut(&Message) -> Option<Fault> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let core = Arc::new(Core {
            state: Mutex::new(State {
                rule: Box::new(rule),
                log: Vec::new(),
                victim: None,
                fired: 0,
                is_silent: false,
                is_released: false,
                is_dead: false,
            }),
            changed: Condvar::new(),
            upstream: db.socket(),
        });
        let accepting = Arc::clone(&core);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.lock().is_dead {
                    return;
                }
                accepting.serve(client.unwrap());
            }
        });
        Proxy { core, port }
    }

    /// Does `fault` to the first message that `is_it`.
    pub fn once(
        db: &TestDb,
        fault: Fault,
        mut is_it: impl FnMut(&Message) -> bool + Send + 'static,
    ) -> Self {
        let mut is_done = false;
        Self::new(db, move |message| {
            (!is_done && is_it(message)).then(|| {
                is_done = true;
                fault
            })
        })
    }

    /// How a loader connects through it.
    pub fn url(&self, db: &TestDb) -> String {
        format!(
            "postgresql://{}@127.0.0.1:{}/{}?sslmode=disable",
            db.settings.user, self.port, db.name
        )
    }

    /// Names the process that is killed or stopped. A fault that comes earlier waits for it.
    pub fn aim(&self, pid: u32) {
        self.core.lock().victim = Some(i32::try_from(pid).unwrap());
        self.core.changed.notify_all();
    }

    /// Lets held messages go.
    pub fn release(&self) {
        let mut state = self.core.lock();
        state.is_released = true;
        state.is_silent = false;
        self.core.changed.notify_all();
    }

    pub fn fired(&self) -> usize {
        self.core.lock().fired
    }

    /// Waits until the fault has happened `times`.
    #[track_caller]
    pub fn wait_until_fired(&self, times: usize) {
        self.wait_until("the fault", |state| state.fired >= times);
    }

    /// Waits until `times` messages that are `it` have come.
    #[track_caller]
    pub fn wait_until_seen(&self, times: usize, is_it: impl Fn(&Message) -> bool) {
        self.wait_until("the message", |state| {
            state.log.iter().filter(|message| is_it(message)).count() >= times
        });
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.core.lock();
        while !is_so(&state) {
            assert!(Instant::now() < deadline, "{what} never came");
            state = (self.core.changed).wait_timeout(state, Duration::from_millis(100)).unwrap().0;
        }
    }

    /// Everything seen so far.
    pub fn log(&self) -> Vec<Message> {
        self.core.lock().log.clone()
    }

    /// The number of the server's last answer: what comes behind it are farewells.
    pub fn last_answer(&self) -> usize {
        let log = self.log();
        let is_answer = |m: &&Message| m.from == From::Server && m.tag == b'Z';
        log.iter().rfind(is_answer).unwrap().number
    }
}

/// The numbers of messages at which faults happen: a sample, spread over all up to `last`; with
/// `SLUICE_FAULTS=all` all of them, and with a number that one.
pub fn sampled(last: usize, size: usize, offset: usize) -> Vec<usize> {
    let wanted = std::env::var("SLUICE_FAULTS").unwrap_or_default();
    if let Ok(number) = wanted.parse() {
        return vec![number];
    }
    let stride = match wanted == "all" {
        true => 1,
        false => (last / size).max(1),
    };
    (1..=last).skip(offset % stride).step_by(stride).collect()
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.core.lock();
        state.is_dead = true;
        self.core.changed.notify_all();
        drop(state);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One connection, seen from one of its two threads.
struct Link {
    client: TcpStream,
    server: UnixStream,
    asked: Arc<Mutex<Asked>>,
    /// The server must not notice that the loader's end is closed.
    is_half_open: Arc<AtomicBool>,
}

impl Link {
    fn close(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn copy(&self) -> Self {
        Link {
            client: self.client.try_clone().unwrap(),
            server: self.server.try_clone().unwrap(),
            asked: Arc::clone(&self.asked),
            is_half_open: Arc::clone(&self.is_half_open),
        }
    }
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A failed assertion of the test leaves it sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: &Arc<Self>, client: TcpStream) {
        client.set_nodelay(true).unwrap();
        // A server that is down: the loader sees its connection closed.
        let Ok(server) = UnixStream::connect(&self.upstream) else {
            return;
        };
        let link = Link { client, server, asked: Arc::default(), is_half_open: Arc::default() };
        for from in [From::Loader, From::Server] {
            let core = Arc::clone(self);
            let link = link.copy();
            std::thread::spawn(move || {
                core.pump(from, &link);
                if link.is_half_open.load(Ordering::SeqCst) {
                    let _ = link.client.shutdown(Shutdown::Both);
                    core.wait_for(|state| state.is_released || state.is_dead);
                }
                link.close();
            });
        }
    }

    /// Forwards messages until the connection ends.
    fn pump(&self, from: From, link: &Link) {
        let (mut input, mut output): (Box<dyn Read>, Box<dyn Write>) = match from {
            From::Loader => (
                Box::new(std::io::BufReader::new(link.client.try_clone().unwrap())),
                Box::new(link.server.try_clone().unwrap()),
            ),
            From::Server => (
                Box::new(std::io::BufReader::new(link.server.try_clone().unwrap())),
                Box::new(link.client.try_clone().unwrap()),
            ),
        };
        let mut is_startup = from == From::Loader;
        while let Ok((tag, bytes)) = read_message(&mut input, is_startup) {
            is_startup = false;
            let statement = link.asked.lock().unwrap().about(from, tag, &bytes);
            // Heartbeats come when they like; without them a run's messages are numbered alike.
            let fault = match statement.as_str() {
                HEARTBEAT => None,
                _ => self.decide(from, tag, statement),
            };
            match fault {
                Some(Fault::KillBefore) => return self.signal(Signal::SIGKILL),
                Some(Fault::CutBefore) => return,
                Some(Fault::HalfOpen) => {
                    link.is_half_open.store(true, Ordering::SeqCst);
                    return;
                }
                Some(Fault::Stop | Fault::StopAndHold) => {
                    self.signal(Signal::SIGSTOP);
                }
                _ => {}
            }
            self.count(fault);
            if matches!(fault, Some(Fault::Hold | Fault::StopAndHold)) {
                self.wait_for(|state| state.is_released || state.is_dead);
            }
            self.wait_for(|state| !state.is_silent || state.is_dead);
            if self.lock().is_dead || output.write_all(&bytes).is_err() {
                return;
            }
            match fault {
                Some(Fault::KillAfter) => return self.signal(Signal::SIGKILL),
                Some(Fault::CutAfter) => return,
                _ => {}
            }
        }
    }

    fn decide(&self, from: From, tag: u8, statement: String) -> Option<Fault> {
        let mut state = self.lock();
        let message = Message { number: state.log.len() + 1, from, tag, statement };
        let fault = (state.rule)(&message);
        state.log.push(message);
        if fault == Some(Fault::Silence) {
            state.is_silent = true;
        }
        if matches!(fault, Some(Fault::CutBefore | Fault::CutAfter | Fault::HalfOpen)) {
            state.fired += 1;
            self.changed.notify_all();
        }
        fault
    }

    /// Counts the faults after which the message goes on.
    fn count(&self, fault: Option<Fault>) {
        if matches!(fault, Some(Fault::Hold | Fault::Stop | Fault::StopAndHold | Fault::Silence)) {
            self.lock().fired += 1;
            self.changed.notify_all();
        }
    }

    fn signal(&self, signal: Signal) {
        self.wait_for(|state| state.victim.is_some());
        let mut state = self.lock();
        kill(Pid::from_raw(state.victim.unwrap()), signal).unwrap();
        if signal == Signal::SIGKILL {
            state.fired += 1;
            state.is_dead = true;
        }
        drop(state);
        self.changed.notify_all();
    }

    fn wait_for(&self, is_so: impl Fn(&State) -> bool) {
        let mut state = self.lock();
        while !is_so(&state) {
            state = self.changed.wait(state).unwrap();
        }
    }
}
