//! One record a line. Whether a line is JSON is for Postgres to say.

use super::frame::{
    BOM, End, Fitness, Framed, Framer, Step, Stop, Tail, frame, number, set_aside_miscoded, trim_cr,
};
use super::position::Parser;
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::ValueScan;

pub(super) struct Ndjson {
    max: usize,
    seen: usize,
}

impl Ndjson {
    pub(super) fn new(max: usize) -> Self {
        Ndjson { max, seen: 0 }
    }
}

impl Framer for Ndjson {
    fn next(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<Step, Stop> {
        loop {
            let find = |bytes: &[u8]| memchr::memchr(b'\n', bytes).map(End::Here);
            match frame(window, self.max, &mut self.seen, find)? {
                Framed::Whole(len) => {
                    let line = trim_cr(&window.data()[..len]);
                    if let Some(behind) = line.strip_prefix(BOM) {
                        let mark = line.len() - behind.len();
                        window.advance(mark);
                        continue;
                    }
                    let is_blank = line.trim_ascii_start().is_empty();
                    if !is_blank {
                        if !set_aside_miscoded(window, line.len(), number(window.line), out) {
                            out.push(number(window.line), line);
                        }
                        window.records += 1;
                    }
                    window.advance(len + 1);
                    window.line += 1;
                    if !is_blank {
                        return Ok(Step::Record);
                    }
                }
                Framed::Long(long) => {
                    long.set_aside(out, number(window.line), self.max);
                    window.advance(1);
                    window.line += 1;
                    window.records += 1;
                    return Ok(Step::Record);
                }
                Framed::Cut if window.data().trim_ascii().is_empty() => return Ok(Step::End),
                Framed::Cut => {
                    let fitness = if ValueScan::is_whole(window.data().trim_ascii()) {
                        Fitness::Whole
                    } else {
                        Fitness::Broken
                    };
                    let message = format!("the content ends inside line {}", window.line);
                    return Ok(Step::Tail(Tail::new(window, fitness, "22P02", message)));
                }
                Framed::CutLong(long) => return Ok(Step::Tail(long.into_tail(self.max))),
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), Stop> {
        self.seen = 0;
        let line = trim_cr(window.data());
        if !set_aside_miscoded(window, line.len(), number(window.line), out) {
            out.push(number(window.line), line);
        }
        window.records += 1;
        window.advance(window.data().len());
        Ok(())
    }

    fn parser(&self) -> Parser {
        Parser::default()
    }
}
