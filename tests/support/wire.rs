//! PostgreSQL's messages: where they begin and end, and what they are about.

use std::collections::{HashMap, VecDeque};
use std::io::Read;

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Loader,
    Server,
}

/// A message that is about to be forwarded.
#[derive(Debug, Clone)]
pub struct Message {
    /// Counted over all connections, from 1.
    pub number: usize,
    pub from: From,
    /// The protocol's type byte; 0 for the startup message.
    pub tag: u8,
    /// The statement in hand on this connection.
    pub statement: String,
}

impl Message {
    /// The loader asks for `statement` to be run: its part before the message that ends it.
    pub fn runs(&self, statement: &str) -> bool {
        self.from == From::Loader
            && matches!(self.tag, b'Q' | b'E')
            && self.statement.contains(statement)
    }

    /// The server has done `statement` and says so.
    pub fn answers(&self, statement: &str) -> bool {
        self.from == From::Server && self.tag == b'C' && self.statement.contains(statement)
    }

    /// The loader asks for its transaction to be committed.
    pub fn commits(&self) -> bool {
        self.from == From::Loader && self.tag == b'Q' && self.statement == "commit"
    }

    /// The server has committed and says so.
    pub fn answers_commit(&self) -> bool {
        self.from == From::Server && self.tag == b'C' && self.statement == "commit"
    }

    /// The loader ends its call of `statement`: it is done, its transaction still open.
    pub fn ends(&self, statement: &str) -> bool {
        self.from == From::Loader && self.tag == b'S' && self.statement.contains(statement)
    }

    /// The loader ends its COPY.
    pub fn ends_copy(&self) -> bool {
        self.from == From::Loader && self.tag == b'c'
    }
}

/// What a connection is about. A loader may ask several things before it reads an answer.
#[derive(Default)]
pub struct Asked {
    last: String,
    /// The statements that were prepared, by name.
    prepared: HashMap<Vec<u8>, String>,
    /// What the server has not said yet that it is ready after.
    open: VecDeque<String>,
}

impl Asked {
    /// The statement that a message is about.
    pub fn about(&mut self, from: From, tag: u8, bytes: &[u8]) -> String {
        let mut words = bytes.get(5..).unwrap_or_default().split(|byte| *byte == 0);
        let mut word = || words.next().unwrap_or_default().to_vec();
        match (from, tag) {
            (From::Loader, b'Q') => self.last = text(word()),
            (From::Loader, b'P') => {
                let name = word();
                self.last = text(word());
                self.prepared.insert(name, self.last.clone());
            }
            (From::Loader, b'B') => {
                let _portal = word();
                self.last = self.prepared.get(&word()).cloned().unwrap_or_default();
            }
            _ => {}
        }
        match (from, tag) {
            (From::Loader, 0 | b'Q' | b'S') => self.open.push_back(self.last.clone()),
            // The server passes over what the loader sent to end the call of COPY itself.
            (From::Loader, b'c' | b'f') => drop(self.open.pop_back()),
            (From::Server, b'Z') => return self.open.pop_front().unwrap_or_default(),
            (From::Server, _) => return self.open.front().unwrap_or(&self.last).clone(),
            _ => {}
        }
        self.last.clone()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The next message, whole, and its type byte.
pub fn read_message(input: &mut dyn Read, is_startup: bool) -> std::io::Result<(u8, Vec<u8>)> {
    let mut bytes = vec![0; if is_startup { 4 } else { 5 }];
    input.read_exact(&mut bytes)?;
    let tag = if is_startup { 0 } else { bytes[0] };
    let length = &bytes[bytes.len() - 4..];
    let length = u32::from_be_bytes(length.try_into().unwrap()) as usize - 4;
    let header = bytes.len();
    bytes.resize(header + length, 0);
    input.read_exact(&mut bytes[header..])?;
    Ok((tag, bytes))
}
