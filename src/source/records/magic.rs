//! Recognises formats that are not read, by their first bytes.

/// First bytes, name, and what to do.
const MAGIC: [(&[u8], &str, &str); 18] = [
    (b"PK\x03\x04", A_ZIP, UNPACK_ZIP),
    (b"PK\x05\x06", A_ZIP, UNPACK_ZIP),
    (b"PK\x07\x08", A_ZIP, UNPACK_ZIP),
    (
        b"\x04\x22\x4d\x18",
        "compressed by lz4",
        "pack it anew (`lz4cat FILE | zstd`), or pipe it in: `lz4cat FILE | sluice run PIPELINE --path -`",
    ),
    (b"\xff\x06\0\0sNaP", "compressed by snappy", "pack it anew by zstd or gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (
        b"PAR1",
        "Parquet",
        "let it be read where it lies, in a folder or an object store: not through a pipe, and not packed once more",
    ),
    (b"ARROW1", "an Arrow file (Feather)", WRITE_PARQUET),
    (b"FEA1", "an Arrow file (Feather, version 1)", WRITE_PARQUET),
    (b"\xff\xff\xff\xff", "an Arrow stream", WRITE_PARQUET),
    (b"Obj\x01", "Avro", "write it as NDJSON (`avro-tools tojson`)"),
    (b"ORC", "ORC", "write it as NDJSON (`orc-contents`)"),
    (
        b"SQLite f",
        "a database of SQLite",
        "read its tables: sluice.sqlite_source(path => '...', \"table\" => '...')",
    ),
    (
        b"PGDMP",
        "a dump of PostgreSQL",
        "restore it (`pg_restore`), and read its tables: sluice.postgres_source(connection => ..., \"table\" => '...')",
    ),
    (b"\x89HDF\r\n\x1a\n", "HDF5", "write it as Parquet or CSV"),
    (b"%PDF-", "a PDF document", "there are no records in it; ask whoever sent it for CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save the sheet as CSV"),
];

const A_ZIP: &str = "a zip archive (xlsx and ods files are, too)";
const UNPACK_ZIP: &str = "unpack it, or save the sheet as CSV; members of an archive are not read";
const UNPACK: &str = "unpack it; members of an archive are not read";
const WRITE_PARQUET: &str = "write it as Parquet (pyarrow: parquet.write_table(feather.read_table(FILE), ...)), or as NDJSON";

/// Within this many bytes binary content shows control characters.
pub(super) const PROOF: usize = 64;

/// Whether more bytes are needed to decide.
pub(super) fn needs_more(head: &[u8]) -> bool {
    MAGIC.iter().any(|(magic, ..)| magic.len() > head.len() && magic.starts_with(head))
}

/// Whether the first bytes match, perhaps by chance.
pub(super) fn is_likely(head: &[u8]) -> bool {
    MAGIC.iter().any(|(magic, ..)| head.starts_with(magic))
}

/// The name of the format, and what to do.
pub(super) fn find(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let found = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic));
    let (magic, what, next) = found?;
    // Letters may be those of a CSV header: ORCID, PAR1.
    let is_sure = magic.starts_with(b"%") || !magic.is_ascii() || !is_text(head);
    is_sure.then_some((what, next))
}

/// Whether there are no control characters but white space.
pub(crate) fn is_text(head: &[u8]) -> bool {
    let is_of_text = |byte: &u8| !matches!(byte, 0..=8 | 11 | 14..=31 | 127);
    head.iter().take(PROOF).all(is_of_text)
}
