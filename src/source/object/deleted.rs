//! Objects that were deleted before they could be read: however many, they are one note.

use std::fmt;

/// The first of them, and how many others there are.
pub(super) struct Deleted {
    first: String,
    others: usize,
}

impl Deleted {
    /// With `name` added to those so far.
    pub(super) fn with(so_far: Option<Self>, name: &str) -> Self {
        match so_far {
            None => Deleted {
                first: name.to_owned(),
                others: 0,
            },
            Some(Deleted { first, others }) => Deleted {
                first,
                others: others + 1,
            },
        }
    }
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.first;
        match self.others {
            0 => write!(f, "{first} was deleted before it could be read"),
            1 => write!(
                f,
                "{first} and 1 other were deleted before they could be read"
            ),
            n => write!(
                f,
                "{first} and {n} others were deleted before they could be read"
            ),
        }
    }
}
