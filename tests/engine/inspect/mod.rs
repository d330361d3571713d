//! Looks that change nothing.

mod compare;
mod doctor;
mod drift;
mod why;
