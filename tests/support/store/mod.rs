//! A small S3 server: lists in pages, gives ranges on condition, wants to be asked with a key,
//! and misbehaves on request. It keeps what it was asked and how often each fault happened.

mod http;

use http::{Answer, Request};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How a request is answered other than it should be.
#[derive(Debug, Clone)]
pub enum Fault {
    /// With a status and an S3 error code.
    Refuse(u16, &'static str),
    /// With the whole head and so many bytes of the body, then silence and the end.
    Cut(usize),
    /// After this was put under the key that is asked for.
    Replace(String),
    /// After the key that is asked for was deleted.
    Delete,
    /// After [`Store::release`].
    Hold,
    /// A page of a listing that goes on without saying where.
    LoseToken,
    /// With success and this body.
    Say(&'static str),
}

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The key; empty for a listing.
    pub key: String,
    pub range: Option<Range<u64>>,
    pub authorization: Option<String>,
}

type Rule = Box<dyn FnMut(&Asked) -> Option<Fault> + Send>;

struct Object {
    content: Vec<u8>,
    etag: String,
    modified: u64,
}

struct State {
    objects: BTreeMap<String, Object>,
    page: usize,
    /// The keys as they are listed, if not in order and once each.
    listed: Option<Vec<String>>,
    is_public: bool,
    clock: u64,
    rule: Rule,
    asked: Vec<Asked>,
    fired: usize,
    held: usize,
    is_released: bool,
}

struct Core {
    state: Mutex<State>,
    changed: Condvar,
}

/// One bucket, named `lake`, on a server of its own.
pub struct Store {
    core: Arc<Core>,
    port: u16,
}

/// Seconds after the epoch of the first object.
const BEGINNING: u64 = 1_772_352_000;

impl Store {
    /// A bucket anybody may read.
    pub fn public() -> Self {
        Self::start(true)
    }

    /// A bucket that wants requests to be signed. Signatures are not checked.
    pub fn private() -> Self {
        Self::start(false)
    }

    fn start(is_public: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let core = Arc::new(Core {
            state: Mutex::new(State {
                objects: BTreeMap::new(),
                page: 1000,
                listed: None,
                is_public,
                clock: BEGINNING,
                rule: Box::new(|_| None),
                asked: Vec::new(),
                fired: 0,
                held: 0,
                is_released: false,
            }),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&core);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let core = Arc::clone(&serving);
                // Ends with its connection.
                std::thread::spawn(move || core.serve(&stream));
            }
        });
        Store { core, port }
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        self.core.lock().put(key, content.as_ref());
    }

    pub fn delete(&self, key: &str) {
        self.core.lock().objects.remove(key);
    }

    /// Lists so many keys a page.
    pub fn page(&self, keys: usize) {
        self.core.lock().page = keys;
    }

    /// Lists these keys, in this order.
    pub fn list_as(&self, keys: &[&str]) {
        self.core.lock().listed = Some(keys.iter().map(|key| (*key).to_owned()).collect());
    }

    /// Asks `rule` of every request from now on.
    pub fn misbehave(&self, rule: impl FnMut(&Asked) -> Option<Fault> + Send + 'static) {
        let mut state = self.core.lock();
        state.rule = Box::new(rule);
        state.fired = 0;
        state.is_released = false;
    }

    /// Does `fault` to the first `times` requests that `is_meant`.
    pub fn misbehave_times(
        &self,
        times: usize,
        fault: Fault,
        is_meant: impl Fn(&Asked) -> bool + Send + 'static,
    ) {
        let mut left = times;
        self.misbehave(move |asked| {
            if left == 0 || !is_meant(asked) {
                return None;
            }
            left -= 1;
            Some(fault.clone())
        });
    }

    /// How many faults have happened. A test whose fault did not happen proves nothing.
    pub fn fired(&self) -> usize {
        self.core.lock().fired
    }

    /// What was asked for, since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.core.lock().asked)
    }

    /// Waits until a request is held.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut state = self.core.lock();
        while state.held == 0 {
            assert!(Instant::now() < deadline, "no request was held");
            let wait = self.core.changed.wait_timeout(state, Duration::from_millis(100));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets held requests go on, and later ones pass.
    pub fn release(&self) {
        self.core.lock().is_released = true;
        self.core.changed.notify_all();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.release();
    }
}

impl Asked {
    pub fn is_listing(&self) -> bool {
        self.key.is_empty()
    }
}

impl State {
    fn put(&mut self, key: &str, content: &[u8]) {
        self.clock += 1;
        let object = Object {
            content: content.to_vec(),
            etag: format!("\"{:.32}\"", hex(&Sha256::digest(content))),
            modified: self.clock,
        };
        self.objects.insert(key.to_owned(), object);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request after the other.
    fn serve(&self, stream: &TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let (answer, cut) = self.answer(&request);
            if answer.write(stream, &request.method, cut).is_err() || cut.is_some() {
                let _ = stream.shutdown(std::net::Shutdown::Both);
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> (Answer, Option<usize>) {
        let path = request.path.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let asked = Asked {
            key: key.to_owned(),
            range: request.range(),
            authorization: request.header("authorization"),
        };
        let mut state = self.lock();
        state.asked.push(asked.clone());
        let fault = (state.rule)(&asked);
        state.fired += usize::from(fault.is_some());
        let mut cut = None;
        let mut loses_token = false;
        match fault {
            None => {}
            Some(Fault::Refuse(status, code)) => return (Answer::refusal(status, code), None),
            Some(Fault::Say(body)) => return (Answer::ok(body), None),
            Some(Fault::Cut(bytes)) => cut = Some(bytes),
            Some(Fault::Replace(content)) => state.put(key, content.as_bytes()),
            Some(Fault::Delete) => drop(state.objects.remove(key)),
            Some(Fault::LoseToken) => loses_token = true,
            Some(Fault::Hold) => {
                state.held += 1;
                self.changed.notify_all();
                while !state.is_released {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        if bucket != "lake" {
            return (Answer::refusal(404, "NoSuchBucket"), None);
        }
        if !state.is_public && asked.authorization.is_none() {
            return (Answer::refusal(403, "AccessDenied"), None);
        }
        let answer = match key {
            "" => state.list(request, loses_token),
            key => state.get(key, request),
        };
        (answer, cut)
    }
}

impl State {
    fn list(&self, request: &Request, loses_token: bool) -> Answer {
        let prefix = request.query("prefix").unwrap_or_default();
        let token = request.query("continuation-token").unwrap_or_default();
        // The token is the last key of the page before, or how many were listed.
        let keys: Vec<&String> = match &self.listed {
            None => self.objects.keys().filter(|key| **key > token).collect(),
            Some(listed) => listed.iter().skip(token.parse().unwrap_or(0)).collect(),
        };
        let mut keys = keys.into_iter().filter(|key| key.starts_with(&prefix));
        let mut xml = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
        let mut last = None;
        for key in keys.by_ref().take(self.page) {
            let object = &self.objects[key];
            xml += &format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                http::escaped(key),
                http::iso_time(object.modified),
                http::escaped(&object.etag),
                object.content.len()
            );
            last = Some(key);
        }
        let is_truncated = keys.next().is_some();
        xml += &format!("<IsTruncated>{}</IsTruncated>", is_truncated || loses_token);
        if let Some(last) = last.filter(|_| is_truncated && !loses_token) {
            let token = match &self.listed {
                None => http::escaped(last),
                Some(_) => (token.parse().unwrap_or(0) + self.page).to_string(),
            };
            xml += &format!("<NextContinuationToken>{token}</NextContinuationToken>");
        }
        Answer::ok(xml + "</ListBucketResult>")
    }

    fn get(&self, key: &str, request: &Request) -> Answer {
        let Some(object) = self.objects.get(key) else {
            return Answer::refusal(404, "NoSuchKey");
        };
        if request.header("if-match").is_some_and(|etag| etag != object.etag) {
            return Answer::refusal(412, "PreconditionFailed");
        }
        let size = object.content.len() as u64;
        let answer = match request.range() {
            None => Answer::ok(object.content.clone()),
            Some(range) if range.start >= size => return Answer::refusal(416, "InvalidRange"),
            Some(range) => {
                let range = range.start..range.end.min(size);
                let bytes = &object.content[range.start as usize..range.end as usize];
                Answer::part(bytes, &range, size)
            }
        };
        answer.with("ETag", &object.etag).with("Last-Modified", &http::http_time(object.modified))
    }
}
