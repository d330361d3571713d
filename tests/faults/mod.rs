//! Nothing lost, nothing twice: loaders are killed, cut off, frozen and raced at every step,
//! and what they leave is compared with an undisturbed run. Every test makes sure that its
//! fault happened.

mod backfills;
mod every_message;
mod failures;
mod kills;
mod pooler;
mod replays;
pub(crate) mod restore;
mod retention;
mod rivals;
mod round_trips;
mod sessions;
mod signals;
mod silence;
mod snapshot;
mod steps;
mod targets;
mod zombies;
