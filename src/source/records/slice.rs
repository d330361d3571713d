//! Content that is in memory as a whole, known to be complete, sliced as a file would be.

use std::io::Cursor;

use bytes::Bytes;
use serde_json::Value;

use super::decode::{Compression, Decoder, Raw};
use super::format::framer;
use super::frame::{Fitness, Framer, Step, Stop};
use super::position::Parser;
use super::settings::{Format, parse};
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::{BatchBuilder, Limits};

/// Records that are counted or skipped are held in lots of this size.
const LOT: Limits = Limits {
    rows: 1000,
    bytes: 1 << 20,
    digests: false,
};

/// Slices the records out of one content.
pub(in crate::source) struct Slicer {
    window: Window,
    framer: Box<dyn Framer>,
    format: Format,
    is_over: bool,
}

impl Slicer {
    /// For settings whose `format` is named.
    pub(in crate::source) fn new(settings: &Value, content: Bytes) -> Result<Self> {
        let (_, settings) = parse::<Value>("http", settings)?;
        let format = settings.format.fixed().unwrap_or(Format::Json);
        let raw = Raw::new(Cursor::new(content), 0);
        let decoder = Decoder::new(Compression::None, raw)
            .map_err(|cause| Error::failed("a page cannot be read").caused_by(cause))?;
        Ok(Slicer {
            window: Window::new(decoder, 0),
            framer: framer(&settings, format, Parser::default())?,
            format,
            is_over: false,
        })
    }

    /// Adds the next record to `out`; false at the end.
    pub(in crate::source) fn next(&mut self, out: &mut BatchBuilder) -> Result<bool> {
        let rows = out.rows();
        while !self.is_over && out.rows() == rows {
            self.step(out).map_err(|stop| match stop {
                Stop::Io(cause) => Error::failed("a page cannot be read").caused_by(cause),
                Stop::Senseless(what, next) => {
                    Error::failed(format!("a page makes no sense: {what}")).next(next)
                }
            })?;
        }
        Ok(out.rows() > rows)
    }

    fn step(&mut self, out: &mut BatchBuilder) -> Result<(), Stop> {
        match self.framer.next(&mut self.window, out)? {
            Step::Record => {}
            Step::End => self.is_over = true,
            // There is no more to come, so a line without its end is one all the same.
            Step::Tail(tail)
                if self.format == Format::Ndjson || tail.fitness != Fitness::Broken =>
            {
                self.framer.load_tail(&mut self.window, out)?;
                self.is_over = true;
            }
            Step::Tail(tail) => {
                self.is_over = !self.framer.break_tail(&mut self.window, out, &tail)
            }
        }
        Ok(())
    }

    /// Passes `records` records.
    pub(in crate::source) fn skip(&mut self, records: u64) -> Result<()> {
        self.pass(records).map(drop)
    }

    /// How many records there are.
    pub(in crate::source) fn count(mut self) -> Result<u64> {
        self.pass(u64::MAX)
    }

    fn pass(&mut self, records: u64) -> Result<u64> {
        let mut passed = 0;
        let mut lot = BatchBuilder::new(LOT);
        while passed < records && self.next(&mut lot)? {
            passed += 1;
            if lot.is_full() {
                lot = BatchBuilder::new(LOT);
            }
        }
        Ok(passed)
    }
}
