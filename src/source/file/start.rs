//! Opens a file: checks whether it is the known one, and finds the place and the format to read on with.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;

use super::discover::not_regular;
use super::identity::{FileIdentity, FileProgress, read_head};
use super::listing::unreadable;
use super::reading::FileReading;
use super::settings::{FileSettings, Partial};
use super::watch::{Growing, Handle};
use crate::error::Result;
use crate::source::parquet::{self, Ranges};
use crate::source::records::{
    Compression, CountingReader, Decoder, Format, HISTORY, ParserState, Position, RecordReader,
    RecordSettings, Resumed, Window, damaged,
};

/// What opening a file came to.
pub(super) enum OpenedFile {
    /// There may be something to read.
    Reading(Box<FileReading>),
    /// It was read to its end, and nothing has touched it since.
    Unchanged,
    /// It is not the file it was; says in which respect.
    Replaced(String),
    /// It may still be being written; says why that is believed.
    Waiting(String),
}

/// Opens the file `name`, about which an earlier run noted `known`.
pub(super) fn open(
    settings: &FileSettings,
    name: &str,
    known: Option<FileProgress>,
) -> Result<OpenedFile> {
    let failed = |cause| unreadable(name, cause);
    let meta = fs::metadata(name).map_err(failed)?;
    if known.as_ref().is_some_and(|known| known.covers(&meta)) {
        return Ok(OpenedFile::Unchanged);
    }
    let (file, meta) = open_regular(name)?;
    let head = read_head(&file, meta.len()).map_err(failed)?;
    let compression = Compression::detect(settings.records.compression, name, &head);
    if let Some(known) = &known {
        let difference = known
            .difference(meta.len(), &head)
            .or_else(|| recompressed(&known.position, compression));
        if let Some(difference) = difference {
            return Ok(OpenedFile::Replaced(difference));
        }
    }
    let handle = Arc::new(Handle { identity: FileIdentity::new(&meta, &head), file, meta });
    let position = known.as_ref().map(|known| &known.position);
    if parquet::is_meant(&settings.records, position, &head) {
        return open_parquet(settings, name, handle, known);
    }
    let mut window = window_at(&handle, compression, resume_from(&known)).map_err(failed)?;
    let mut parser = ParserState::default();
    let mut is_unchanged = false;
    if let Some(known) = &known {
        let position = &known.position;
        match window.resume(&position.place) {
            Ok(Resumed::Unchanged) => {}
            Ok(Resumed::Changed(difference)) => return Ok(OpenedFile::Replaced(difference)),
            Err(cause) => return Err(damaged("file", name, compression, &window, cause)),
        }
        parser = position.parser.clone();
        is_unchanged = known.is_done
            && !window
                .fill_to(1)
                .map_err(|cause| damaged("file", name, compression, &window, cause))?;
        if !is_unchanged && position.tail.is_some() {
            (window, parser) = reenter(&settings.records, &handle, position, window)
                .map_err(|cause| unreadable(name, cause))?;
        }
    }
    let format = known.as_ref().and_then(|known| known.position.format);
    let mut reading = RecordReader::new(name, Growing::new(&handle, settings), compression, window);
    reading.can_reopen = true;
    if let Some(known) = &known {
        reading.resume(&known.position);
    }
    match is_unchanged {
        true => reading.mark_done(),
        false => reading.begin(&settings.records, format, parser)?,
    }
    let file = FileReading::new(Box::new(reading), handle, known, is_unchanged);
    Ok(OpenedFile::Reading(Box::new(file)))
}

fn open_parquet(
    settings: &FileSettings,
    name: &str,
    handle: Arc<Handle>,
    known: Option<FileProgress>,
) -> Result<OpenedFile> {
    let position = known.as_ref().map(|known| &known.position);
    let ranges = Arc::clone(&handle) as Arc<dyn Ranges>;
    match parquet::open("file", name, ranges, &settings.records, position)? {
        parquet::Opened::Content(content) => {
            let is_unchanged = known.as_ref().is_some_and(|known| known.is_done);
            let file = FileReading::new(content, handle, known, is_unchanged);
            Ok(OpenedFile::Reading(Box::new(file)))
        }
        parquet::Opened::Changed(difference) => Ok(OpenedFile::Replaced(difference)),
        parquet::Opened::Unfinished(what) => {
            let age = handle.meta.modified().map(|at| at.elapsed());
            let is_settled = age.is_ok_and(|age| age.is_ok_and(|age| age >= settings.settle));
            match is_settled || settings.partial != Partial::Wait {
                true => Err(parquet::unfinished("file", name, &what)),
                false => Ok(OpenedFile::Waiting(format!(
                    "{name} is not a complete Parquet file: {what}; it may still be being written"
                ))),
            }
        }
    }
}

impl Ranges for Handle {
    fn size(&self) -> u64 {
        self.meta.len()
    }

    fn read(&self, range: Range<u64>) -> io::Result<bytes::Bytes> {
        let mut found = vec![0; (range.end - range.start) as usize];
        self.file.read_exact_at(&mut found, range.start)?;
        Ok(found.into())
    }
}

/// What a file is recognised by.
pub(super) fn identify(name: &str) -> Result<FileIdentity> {
    let (file, meta) = open_regular(name)?;
    let head = read_head(&file, meta.len()).map_err(|cause| unreadable(name, cause))?;
    Ok(FileIdentity::new(&meta, &head))
}

/// A pipe may have taken the name since it was listed, and opening it would wait.
fn open_regular(name: &str) -> Result<(File, Metadata)> {
    let failed = |cause| unreadable(name, cause);
    let mut options = File::options();
    let options = options.read(true).custom_flags(nix::libc::O_NONBLOCK);
    let file = options.open(name).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    match meta.is_file() {
        true => Ok((file, meta)),
        false => Err(not_regular(name)),
    }
}

/// Where to begin, so that the anchor can be compared.
fn resume_from(known: &Option<FileProgress>) -> u64 {
    known.as_ref().map_or(0, |known| known.position.place.anchor_start())
}

/// A window that begins at `offset`, or before it if the file is compressed: the bytes up to
/// there must be decoded to be skipped.
fn window_at(handle: &Arc<Handle>, compression: Compression, offset: u64) -> io::Result<Window> {
    let at = match compression {
        Compression::None => offset,
        _ => 0,
    };
    let bytes = Bytes { handle: Arc::clone(handle), at };
    let raw = CountingReader::new(bytes, at);
    Ok(Window::new(Decoder::new(compression, raw)?, at))
}

/// The bytes of a file, read by offset, so that several readers may share one handle.
struct Bytes {
    handle: Arc<Handle>,
    at: u64,
}

impl Read for Bytes {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.handle.file.read_at(buf, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// A file that ended in an unterminated record has grown: continue after the record if its line end came,
/// otherwise go back to where it begins.
fn reenter(
    settings: &RecordSettings,
    handle: &Arc<Handle>,
    position: &Position,
    mut window: Window,
) -> io::Result<(Window, ParserState)> {
    let Some(tail) = &position.tail else {
        return Ok((window, position.parser.clone()));
    };
    if let Some(encoding) = settings.encoding(&position.parser) {
        window.decode_from(encoding);
    }
    window.fill_to(2)?;
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
    if ends_by_line && line_end > 0 && !tail.is_open {
        window.advance(line_end);
        window.line += 1;
        return Ok((window, position.parser.clone()));
    }
    let mut window =
        window_at(handle, position.compression, tail.start.saturating_sub(HISTORY as u64))?;
    window.skip_to(tail.start)?;
    window.line = tail.line;
    window.records = tail.records;
    Ok((window, tail.parser.clone()))
}

fn recompressed(before: &Position, now: Compression) -> Option<String> {
    // As long as nothing had been read, the kind of compression was only a guess.
    (before.compression != now && before.place.bytes > 0).then(|| {
        format!("its compression was {} and is now {}", before.compression.name(), now.name())
    })
}
