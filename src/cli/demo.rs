//! `sluice demo`

use super::args;
use super::context::Context;
use crate::error::Result;

pub(super) async fn demo(_context: &Context, _args: &args::Demo) -> Result<u8> {
    Ok(0)
}
