//! Moving the cursor: rewind, skip, backfill.

mod backfill;
mod preview_rewind;
mod rewind;
mod skip;
