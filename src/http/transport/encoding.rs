//! Decodes compressed bodies up to a limit: all members of a gzip stream, and truncation is an error.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

/// The encodings that are accepted.
pub(crate) const ACCEPTED: &str = "gzip, br, zstd";

/// Why a body cannot be decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    Unknown(String),
    /// Its content is larger than the limit.
    TooLarge,
    Broken(io::Error),
}

/// Decodes the encodings in `header`, the last one first.
pub(crate) fn decode(body: Vec<u8>, header: &str, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut body = body;
    for name in header.rsplit(',').map(|name| name.trim().to_ascii_lowercase()) {
        // Some decoders accept empty input as a complete stream.
        if body.is_empty() && !matches!(name.as_str(), "" | "identity") {
            return Err(DecodeError::Broken(ErrorKind::UnexpectedEof.into()));
        }
        let mut content = Vec::new();
        decoder(&name, &body)?
            .take(limit as u64 + 1)
            .read_to_end(&mut content)
            .map_err(DecodeError::Broken)?;
        if content.len() > limit {
            return Err(DecodeError::TooLarge);
        }
        body = content;
    }
    Ok(body)
}

/// The start of `body`, decoded as far as possible, for messages.
pub(crate) fn beginning(mut body: Vec<u8>, header: &str, limit: usize) -> Vec<u8> {
    for name in header.rsplit(',') {
        let mut content = Vec::new();
        if let Ok(decoder) = decoder(&name.trim().to_ascii_lowercase(), &body) {
            // Keep what was decoded before an error.
            let _ = decoder.take(limit as u64).read_to_end(&mut content);
        }
        body = content;
    }
    body
}

fn decoder<'a>(name: &str, body: &'a [u8]) -> Result<Box<dyn Read + 'a>, DecodeError> {
    Ok(match name {
        "" | "identity" => Box::new(body),
        "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(body)),
        "br" => Box::new(brotli_decompressor::Decompressor::new(body, 4096)),
        "zstd" => {
            Box::new(zstd::stream::read::Decoder::with_buffer(body).map_err(DecodeError::Broken)?)
        }
        _ => return Err(DecodeError::Unknown(name.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &[u8] = b"[{\"id\": 1}, {\"id\": 2}, {\"id\": 3}, {\"id\": 4}]";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// [`TEXT`] by the reference encoder.
    const BROTLI: &[u8] = include_bytes!("encoding_sample.br");

    #[test]
    fn encodings_are_undone() {
        let members: Vec<u8> = TEXT.chunks(7).flat_map(gzip).collect();
        let zstd = zstd::encode_all(TEXT, 3).unwrap();
        let frames: Vec<u8> =
            TEXT.chunks(9).flat_map(|part| zstd::encode_all(part, 3).unwrap()).collect();
        for (header, body) in [
            ("gzip", gzip(TEXT)),
            ("x-gzip", members),
            ("br", BROTLI.to_vec()),
            ("ZSTD", zstd.clone()),
            ("zstd", frames),
            ("zstd, gzip", gzip(&zstd)),
            ("identity", TEXT.to_vec()),
            ("", TEXT.to_vec()),
        ] {
            assert_eq!(decode(body, header, 1000).unwrap(), TEXT, "{header}");
        }
        assert!(
            matches!(decode(TEXT.to_vec(), "deflate", 1000), Err(DecodeError::Unknown(name)) if name == "deflate")
        );
    }

    #[test]
    fn every_cut_is_noticed() {
        for (header, body) in [
            ("gzip", gzip(TEXT)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd::encode_all(TEXT, 3).unwrap()),
        ] {
            for end in 0..body.len() {
                let cut = decode(body[..end].to_vec(), header, 1000);
                assert!(matches!(cut, Err(DecodeError::Broken(_))), "{header} {end}: {cut:?}");
            }
        }
    }

    #[test]
    fn what_an_answer_begins_with_is_readable_without_its_end() {
        // Nothing of it repeats, or it would all be in the last bytes.
        let text: String = (0..60_000u64).map(|n| format!("{:x}", n * n * 7919)).collect();
        for (header, body) in [
            ("gzip", gzip(text.as_bytes())),
            ("zstd", zstd::encode_all(text.as_bytes(), 3).unwrap()),
            ("", text.clone().into_bytes()),
        ] {
            let cut = body[..body.len() * 9 / 10].to_vec();
            let read = beginning(cut, header, 500);
            assert_eq!(String::from_utf8(read).unwrap(), text[..500], "{header}");
        }
        assert_eq!(beginning(BROTLI.to_vec(), "br", 10), TEXT[..10]);
        assert_eq!(beginning(TEXT.to_vec(), "deflate", 10), b"");
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let zeros = vec![b'0'; 10 << 20];
        for (header, body) in
            [("gzip", gzip(&zeros)), ("zstd", zstd::encode_all(&*zeros, 3).unwrap())]
        {
            assert!(body.len() < 20_000);
            assert!(
                matches!(decode(body, header, 1 << 20), Err(DecodeError::TooLarge)),
                "{header}"
            );
        }
    }
}
