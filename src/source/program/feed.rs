//! What a pipeline hears of its program.

use super::hearing::{Hearing, Message};
use super::mark::Point;
use crate::error::Result;

/// The messages for one pipeline, in their order.
pub(super) trait Feed: Send {
    /// The next one; none when the program has ended well, and its stream is whole.
    fn next(&mut self) -> Result<Option<Message>>;

    /// The line of the message that was told last.
    fn line(&self) -> &[u8];

    /// When it has ended: a state of other pipelines that is behind what was read here.
    fn met(&mut self) -> Option<Point> {
        None
    }
}

/// A program that is read for one stream.
impl Feed for Hearing {
    fn next(&mut self) -> Result<Option<Message>> {
        if let Some((_, message)) = Hearing::next(self)? {
            return Ok(Some(message));
        }
        self.finish(0)?;
        self.tell_of_others();
        Ok(None)
    }

    fn line(&self) -> &[u8] {
        Hearing::line(self)
    }
}
