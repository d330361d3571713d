//! SQLSTATEs of records that a source could not read, by PostgreSQL's table.

/// Bytes that are invalid in their encoding.
pub(super) const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
/// Text that is not JSON.
pub(super) const INVALID_TEXT_REPRESENTATION: &str = "22P02";
/// A row with too many or too few fields.
pub(super) const BAD_COPY_FILE_FORMAT: &str = "22P04";
/// A record over `max_record_bytes`.
pub(super) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
