//! Errors of content that cannot be read or decoded.

use std::io;

use super::choice::Compression;
use super::window::Window;
use crate::error::Error;

/// Whether the error comes from a decoder: the bytes arrived, but are invalid.
pub(super) fn is_decode_error(cause: &io::Error) -> bool {
    let is_ours = cause.get_ref().is_some_and(|cause| cause.is::<Error>());
    cause.raw_os_error().is_none() && !is_ours
}

/// An error about content that cannot be read or decoded.
pub(crate) fn damaged(
    noun: &str,
    name: &str,
    compression: Compression,
    window: &Window,
    cause: io::Error,
) -> Error {
    // An error of the source itself says more.
    let cause = match cause.downcast::<Error>() {
        Ok(error) => return error,
        Err(cause) => cause,
    };
    let at = window.offset() + window.data().len() as u64;
    let (what, check) = match compression {
        Compression::None => {
            return Error::failed(format!("cannot read `{name}` at byte {at}"))
                .caused_by(cause)
                .next("check the disk or the mount, then run again");
        }
        Compression::Gzip => ("gzip", "gzip -t"),
        Compression::Zstd => ("zstd", "zstd -t"),
        Compression::Bzip2 => ("bzip2", "bzip2 -t"),
        Compression::Xz => ("xz", "xz -t"),
    };
    let next = match noun {
        "file" => format!("`{check} {name}` checks it"),
        _ => format!("`{check}` checks a copy of it"),
    };
    Error::failed(format!(
        "`{name}` is damaged: its {what} stream cannot be decoded past byte {at} of the content"
    ))
    .caused_by(cause)
    .next(format!("get a sound copy of the {noun} ({next}), then run again"))
}
