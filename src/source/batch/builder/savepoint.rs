//! Takes records back that were added to a batch.

use super::super::super::fields::{self, FieldsBuilder};
use super::{BatchBuilder, Last, origins};

/// What a batch held at some moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Savepoint {
    data: usize,
    copied: usize,
    fields: fields::FieldsSavepoint,
    payload_bytes: usize,
    rows: i32,
    unreadable: usize,
    origins: origins::OriginsSavepoint,
}

impl Savepoint {
    /// Records it had then.
    pub(crate) fn rows(self) -> usize {
        self.rows as usize
    }
}

impl BatchBuilder {
    /// A place to come back to with [`BatchBuilder::roll_back`].
    pub(crate) fn savepoint(&self) -> Savepoint {
        let fields = self.fields.as_ref().map(FieldsBuilder::savepoint);
        Savepoint {
            data: self.data.len(),
            copied: self.copied,
            fields: fields.unwrap_or_default(),
            payload_bytes: self.payload_bytes,
            rows: self.rows,
            unreadable: self.unreadable.len(),
            origins: self.origins.savepoint(),
        }
    }

    /// Takes out the records that were added since `before`. Where they came from stays noted until records
    /// from elsewhere follow.
    pub(crate) fn roll_back(&mut self, before: Savepoint) {
        self.data.truncate(before.data);
        self.copied = before.copied;
        if let Some(fields) = &mut self.fields {
            fields.roll_back(before.fields);
        }
        self.payload_bytes = before.payload_bytes;
        self.rows = before.rows;
        self.unreadable.truncate(before.unreadable);
        self.last = Last::None;
        self.origins.roll_back(before.origins);
    }
}
