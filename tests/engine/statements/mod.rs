//! The statements a batch runs, and the hash they write.

pub(super) mod hashing;
mod keys;
mod names;
mod shown;
mod superseded;
