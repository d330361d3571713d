//! The pure half of a batch.
