//! Opening a file: is it the one that is known, where does reading begin, how do records
//! stand in it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::Arc;

use super::decode::{Compression, Decoder, Raw};
use super::discover::unreadable;
use super::identity::{Identity, Parser, Position, State, read_head};
use super::reading::{Handle, Reading};
use super::settings::{Format, Settings};
use super::window::{HISTORY, Window};
use crate::error::{Error, Result};

/// What opening a file came to.
pub(super) enum Opened {
    /// There may be something to read.
    Reading(Box<Reading>),
    /// It was read to its end, and nothing has touched it since.
    Unchanged,
    /// It is not the file it was: in which respect.
    Replaced(String),
}

/// Opens the file `name`, of which `known` was noted by an earlier run.
pub(super) fn open(settings: &Settings, name: &str, known: Option<State>) -> Result<Opened> {
    let failed = |cause| unreadable(name, cause);
    let meta = fs::metadata(name).map_err(failed)?;
    if known.as_ref().is_some_and(|known| known.covers(&meta)) {
        return Ok(Opened::Unchanged);
    }
    let file = Arc::new(File::open(name).map_err(failed)?);
    let meta = file.metadata().map_err(failed)?;
    let head = read_head(&file, meta.len()).map_err(failed)?;
    let compression = Compression::detect(settings.compression, name, &head);
    if let Some(known) = &known {
        let difference = known
            .difference(meta.len(), &head)
            .or_else(|| known.position.recompressed(compression));
        if let Some(difference) = difference {
            return Ok(Opened::Replaced(difference));
        }
    }
    let handle = Handle {
        identity: Identity::new(&meta, &head),
        file,
        meta,
    };
    let mut window = window_at(&handle.file, compression, resume_from(&known)).map_err(failed)?;
    let mut parser = Parser::default();
    let mut is_exhausted = false;
    if let Some(known) = &known {
        let position = &known.position;
        let found = window.skip_to(position.place.bytes);
        if !found.map_err(|cause| damaged(name, compression, &window, cause))? {
            return Ok(Opened::Replaced(format!(
                "its content ends before byte {}, up to which it was read",
                position.place.bytes
            )));
        }
        if !window.is_anchored(&position.place) {
            return Ok(Opened::Replaced(format!(
                "the bytes before byte {} of its content are not the same as before",
                position.place.bytes
            )));
        }
        window.line = position.place.line;
        window.records = position.place.records;
        parser = position.parser.clone();
        is_exhausted = known.is_done
            && !holds(&mut window, 1)
                .map_err(|cause| damaged(name, compression, &window, cause))?;
        if !is_exhausted && position.tail.is_some() {
            (window, parser) =
                reenter(&handle, position, window).map_err(|cause| unreadable(name, cause))?;
        }
    }
    let format = known.as_ref().and_then(|known| known.position.format);
    let mut reading = Reading::new(name, Some(handle), known, compression, window);
    if is_exhausted {
        reading.nothing_new();
    } else {
        reading.begin(settings, format, parser)?;
    }
    Ok(Opened::Reading(Box::new(reading)))
}

/// Opens a stream that cannot be read twice.
pub(super) fn open_stream(settings: &Settings, mut input: Box<dyn Read + Send>) -> Result<Reading> {
    let mut head = Vec::new();
    let failed = |cause| unreadable("-", cause);
    input
        .by_ref()
        .take(4)
        .read_to_end(&mut head)
        .map_err(failed)?;
    let compression = Compression::detect(settings.compression, "-", &head);
    let raw = Raw::Stream {
        input: Box::new(io::Cursor::new(head).chain(input)),
        at: 0,
    };
    let window = Window::new(Decoder::new(compression, raw).map_err(failed)?, 0);
    let mut reading = Reading::new("-", None, None, compression, window);
    reading.begin(settings, None, Parser::default())?;
    Ok(reading)
}

/// An error about content that cannot be had.
pub(super) fn damaged(
    name: &str,
    compression: Compression,
    window: &Window,
    cause: io::Error,
) -> Error {
    let at = window.offset() + window.data().len() as u64;
    let (what, next) = match compression {
        Compression::None => {
            return Error::failed(format!("cannot read `{name}` at byte {at}"))
                .caused_by(cause)
                .next("check the disk or the mount, then run again");
        }
        Compression::Gzip => ("gzip", "gzip -t"),
        Compression::Zstd => ("zstd", "zstd -t"),
    };
    Error::failed(format!(
        "`{name}` is damaged: its {what} stream cannot be decoded past byte {at} of the content"
    ))
    .caused_by(cause)
    .next(format!(
        "get a sound copy of the file (`{next} {name}` checks it), then run again"
    ))
}

/// Where to begin, so that the anchor can be compared.
fn resume_from(known: &Option<State>) -> u64 {
    known.as_ref().map_or(0, |known| {
        let place = &known.position.place;
        place.bytes.saturating_sub(place.anchor_bytes)
    })
}

/// A window that begins at `offset`, or before it if the file is compressed: the bytes up to
/// there must be decoded to be skipped.
fn window_at(file: &Arc<File>, compression: Compression, offset: u64) -> io::Result<Window> {
    let at = match compression {
        Compression::None => offset,
        _ => 0,
    };
    let raw = Raw::File {
        file: Arc::clone(file),
        at,
    };
    Ok(Window::new(Decoder::new(compression, raw)?, at))
}

/// A file that ended in an unterminated record has grown: go on behind the record if its
/// line end came, else go back to where it begins.
fn reenter(
    handle: &Handle,
    position: &Position,
    mut window: Window,
) -> io::Result<(Window, Parser)> {
    let Some(tail) = &position.tail else {
        return Ok((window, position.parser.clone()));
    };
    holds(&mut window, 2)?;
    let line_end = match window.data() {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    };
    let ends_by_line = match position.format {
        Some(Format::Ndjson) => true,
        // A header that was cut tells nothing about what follows it.
        Some(Format::Csv | Format::Tsv) => tail.parser.columns.is_some(),
        _ => false,
    };
    if ends_by_line && line_end > 0 {
        window.advance(line_end);
        window.line += 1;
        return Ok((window, position.parser.clone()));
    }
    let mut window = window_at(
        &handle.file,
        position.compression,
        tail.start.saturating_sub(HISTORY as u64),
    )?;
    window.skip_to(tail.start)?;
    window.line = tail.line;
    window.records = tail.records;
    Ok((window, tail.parser.clone()))
}

/// Whether the content goes on for at least `n` bytes.
pub(super) fn holds(window: &mut Window, n: usize) -> io::Result<bool> {
    while window.data().len() < n {
        if !window.fill()? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Position {
    fn recompressed(&self, now: Compression) -> Option<String> {
        // As long as nothing was read, the kind of compression was only a guess.
        (self.compression != now && self.place.bytes > 0).then(|| {
            format!(
                "its compression was {} and is now {}",
                self.compression.name(),
                now.name()
            )
        })
    }
}
