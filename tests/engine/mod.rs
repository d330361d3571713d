//! The engine's functions without the loader: batches run by hand, in plain SQL.

mod age;
mod batch;
mod boundaries;
mod cursor;
mod define;
mod delivery;
mod erase;
mod faults;
mod histories;
mod inspect;
mod install;
mod interface;
mod known;
mod missing;
mod quarantine;
mod retained;
mod roles;
mod runs;
mod settings;
mod sources;
mod standby;
mod statements;
pub(crate) mod support;
mod targets;
mod upgrade;
mod verify;
mod views;

use support::{
    Hand, Problem, WAITS_FOR_TARGET, items, items_of_ids, make_all_digests_anchors, numbers,
    problem,
};
