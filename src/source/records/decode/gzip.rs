//! gzip files of several members; flate2 reads only the first.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::CountingReader;

/// The first byte of a member.
const MAGIC: u8 = 0x1f;

/// Reads all members of a gzip file, and the zero padding of tapes and block devices after the last one.
pub(super) struct GzipMembers {
    member: Option<GzDecoder<BufReader<CountingReader>>>,
}

impl GzipMembers {
    pub(super) fn new(reader: BufReader<CountingReader>) -> Self {
        GzipMembers { member: Some(GzDecoder::new(reader)) }
    }
}

impl Read for GzipMembers {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(member) = &mut self.member else {
                return Ok(0);
            };
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let rest = member.get_mut();
            if !has_next_member(rest)? {
                return Ok(0);
            }
            self.member = self.member.take().map(|done| GzDecoder::new(done.into_inner()));
        }
    }
}

/// Skips padding after a member; whether another member follows.
fn has_next_member(reader: &mut BufReader<CountingReader>) -> io::Result<bool> {
    let mut padding = false;
    loop {
        let bytes = reader.fill_buf()?;
        match bytes.iter().position(|byte| *byte != 0) {
            _ if bytes.is_empty() => return Ok(false),
            Some(0) if !padding && bytes[0] == MAGIC => return Ok(true),
            None => {
                padding = true;
                let len = bytes.len();
                reader.consume(len);
            }
            Some(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "bytes that are not gzip follow the end of the gzip stream",
                ));
            }
        }
    }
}
