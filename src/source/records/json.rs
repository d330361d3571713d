//! JSON values in a row, and arrays whose elements are the records, sliced by counting
//! brackets and quotes. Nothing is parsed: what is between the commas goes to Postgres as
//! it stands.

mod array_finder;

use self::array_finder::{ArrayFinder, Found};
use super::frame::{
    BOM, End, Fitness, Framed, Framer, Step, Stop, Tail, frame, number, set_aside_miscoded,
};
use super::position::{Parser, Spot};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::{Pointer, ValueScan};

/// Invalid text representation: what Postgres says of broken JSON.
const NOT_JSON: &str = "22P02";

pub(super) struct Json {
    max: usize,
    seen: usize,
    value: ValueScan,
    spot: Spot,
    /// The way to the records, if they are inside a document.
    finder: Option<ArrayFinder>,
    /// Reading stopped on another path than this one.
    is_lost: bool,
}

impl Json {
    /// Goes on from `parser`, which is empty at the beginning.
    pub(super) fn new(max: usize, records: Option<&Pointer>, parser: Parser) -> Self {
        let path = records.filter(|path| !path.segments().is_empty());
        let was_nested = !parser.within.is_empty();
        let spot = parser.spot.unwrap_or_default();
        let finder = path.map(|path| ArrayFinder::new(path.clone(), parser.within));
        let is_lost = match &finder {
            Some(finder) => finder.is_lost() || (spot != Spot::Top && !was_nested),
            None => was_nested,
        };
        Json {
            max,
            seen: 0,
            value: ValueScan::default(),
            spot,
            finder,
            is_lost,
        }
    }

    /// Takes a value, or a stretch of garbage if `garbage` says what is wrong with it.
    fn take(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
        garbage: Option<String>,
    ) -> Result<Step, Stop> {
        let position = self.position(window);
        let spot = self.spot;
        let value = &mut self.value;
        let find = |bytes: &[u8]| match garbage {
            None => value.feed(bytes).map(End::Here),
            Some(_) if spot == Spot::Top => memchr::memchr(b'\n', bytes).map(End::Here),
            Some(_) => memchr::memchr2(b',', b']', bytes).map(End::Here),
        };
        match frame(window, self.max, &mut self.seen, find)? {
            Framed::Whole(len) => {
                let bytes = &window.data()[..len];
                match garbage {
                    None if set_aside_miscoded(window, len, position, out) => {}
                    None => out.push(position, bytes),
                    Some(message) => {
                        out.push_unreadable(position, bytes.to_vec(), NOT_JSON, message);
                    }
                }
                window.advance(len);
            }
            Framed::Long(long) => long.set_aside(out, position, self.max),
            Framed::CutLong(long) => return Ok(Step::Tail(long.into_tail(self.max))),
            Framed::Cut => return Ok(self.broken(window)),
        }
        self.value = ValueScan::default();
        if self.spot != Spot::Top {
            self.spot = Spot::AfterElement;
        }
        window.records += 1;
        Ok(Step::Record)
    }

    fn broken(&self, window: &Window) -> Step {
        let message = match self.spot {
            _ if !window.data().is_empty() => {
                format!("the content ends inside record {}", self.position(window))
            }
            _ => format!(
                "the content ends before its array does, after {} records",
                window.records
            ),
        };
        Step::Tail(Tail::new(window, Fitness::Broken, NOT_JSON, message))
    }

    fn note(&self, window: &mut Window, out: &mut BatchBuilder, message: String) -> Step {
        out.push_unreadable(self.position(window), Vec::new(), NOT_JSON, message);
        window.records += 1;
        Step::Record
    }
}

impl Framer for Json {
    fn next(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<Step, Stop> {
        if self.is_lost {
            return Err(Stop::Senseless(
                "it was begun under another `records` setting".to_owned(),
                "read it from its start: sluice rewind PIPELINE --object NAME",
            ));
        }
        loop {
            if self.spot == Spot::Top
                && let Some(finder) = &mut self.finder
            {
                match finder.seek(window)? {
                    Found::Array => {}
                    Found::Object => return self.take(window, out, None),
                    Found::End => return Ok(Step::End),
                    Found::Cut => return Ok(self.broken(window)),
                }
            }
            // If a tail was left, a value has begun there, which starts without a blank.
            let blank = window.data().len() - window.data().trim_ascii_start().len();
            window.advance(blank);
            if self.spot == Spot::Top
                && window.data().first() == BOM.first()
                && window.holds(BOM.len())?
                && window.data().starts_with(BOM)
            {
                window.advance(BOM.len());
                continue;
            }
            let Some(&byte) = window.data().first() else {
                if window.fill()? {
                    continue;
                }
                return Ok(match self.spot {
                    Spot::Top => Step::End,
                    _ => self.broken(window),
                });
            };
            match (self.spot, byte) {
                (Spot::Top, b'[') => {
                    window.advance(1);
                    self.spot = Spot::ArrayStart;
                }
                (Spot::Top, b']' | b'}' | b',' | b':') => {
                    let at = window.offset() + 1;
                    let message = format!("`{}` at byte {at} begins no value", char::from(byte));
                    return self.take(window, out, Some(message));
                }
                (Spot::ArrayStart | Spot::AfterElement, b']') => {
                    window.advance(1);
                    self.spot = Spot::Top;
                }
                (Spot::AfterElement, b',') => {
                    window.advance(1);
                    self.spot = Spot::BeforeElement;
                }
                (Spot::AfterElement, _) => {
                    let at = window.offset() + 1;
                    let message = format!(
                        "there must be `,` or `]` at byte {at}, behind an element of the array"
                    );
                    return self.take(window, out, Some(message));
                }
                (Spot::ArrayStart | Spot::BeforeElement, b',') => {
                    let at = window.offset() + 1;
                    let message = format!("the array has an empty element before byte {at}");
                    window.advance(1);
                    self.spot = Spot::BeforeElement;
                    return Ok(self.note(window, out, message));
                }
                (Spot::BeforeElement, b']') => {
                    let at = window.offset() + 1;
                    let message = format!("the array ends in a comma before byte {at}");
                    window.advance(1);
                    self.spot = Spot::Top;
                    return Ok(self.note(window, out, message));
                }
                _ => return self.take(window, out, None),
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), Stop> {
        // Values show their own end, so a tail is never whole; Postgres would say the same.
        out.push(self.position(window), window.data());
        window.records += 1;
        window.advance(window.data().len());
        Ok(())
    }

    fn position(&self, window: &Window) -> i64 {
        number(window.records + 1)
    }

    fn is_between_records(&self) -> bool {
        let is_outside = self
            .finder
            .as_ref()
            .is_none_or(ArrayFinder::is_between_documents);
        self.spot == Spot::Top && is_outside
    }

    fn parser(&self) -> Parser {
        Parser {
            spot: (self.spot != Spot::Top).then_some(self.spot),
            within: self
                .finder
                .as_ref()
                .map_or(String::new(), |finder| finder.within().to_owned()),
            ..Parser::default()
        }
    }
}
