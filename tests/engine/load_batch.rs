//! The half of a batch that counts.
