//! Records set aside, and what becomes of them.

mod amend;
mod arrival;
mod discard;
mod find_quarantined;
mod loaded;
mod locks;
mod replay;
mod replay_histories;
mod retry_orphans;
mod write;
