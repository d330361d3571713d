//! Looks that change nothing.

mod compare;
mod why;
