//! Bodies that were compressed for the way, decoded whole and under a limit: every member
//! of a gzip stream, and an end that is missing is noticed.

use std::io::{self, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

/// What this program understands.
pub(crate) const ACCEPTED: &str = "gzip, br, zstd";

/// Why a body cannot be decoded.
#[derive(Debug)]
pub(crate) enum Fault {
    Unknown(String),
    /// Its content is larger than the limit.
    TooLarge,
    Broken(io::Error),
}

/// Undoes the encodings that `header` lists, the last one first.
pub(crate) fn decode(body: Vec<u8>, header: &str, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut body = body;
    for name in header
        .rsplit(',')
        .map(|name| name.trim().to_ascii_lowercase())
    {
        body = match name.as_str() {
            "" | "identity" => body,
            // A reader that finds nothing at all must not take it for a whole stream.
            _ if body.is_empty() => return Err(Fault::Broken(ErrorKind::UnexpectedEof.into())),
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), limit)?,
            "br" => read(brotli_decompressor::Decompressor::new(&*body, 4096), limit)?,
            "zstd" => read(
                zstd::stream::read::Decoder::with_buffer(&*body).map_err(Fault::Broken)?,
                limit,
            )?,
            _ => return Err(Fault::Unknown(name)),
        };
    }
    Ok(body)
}

fn read(decoder: impl Read, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut content = Vec::new();
    decoder
        .take(limit as u64 + 1)
        .read_to_end(&mut content)
        .map_err(Fault::Broken)?;
    match content.len() > limit {
        true => Err(Fault::TooLarge),
        false => Ok(content),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
        let frames: Vec<u8> = TEXT
            .chunks(9)
            .flat_map(|part| zstd::encode_all(part, 3).unwrap())
            .collect();
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
            matches!(decode(TEXT.to_vec(), "deflate", 1000), Err(Fault::Unknown(name)) if name == "deflate")
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
                assert!(
                    matches!(cut, Err(Fault::Broken(_))),
                    "{header} {end}: {cut:?}"
                );
            }
        }
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let zeros = vec![b'0'; 10 << 20];
        for (header, body) in [
            ("gzip", gzip(&zeros)),
            ("zstd", zstd::encode_all(&*zeros, 3).unwrap()),
        ] {
            assert!(body.len() < 20_000);
            assert!(
                matches!(decode(body, header, 1 << 20), Err(Fault::TooLarge)),
                "{header}"
            );
        }
    }
}
