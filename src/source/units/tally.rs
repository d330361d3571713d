//! Counts names, for one remark about all of them.

/// How many names there were, and the first.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    first: String,
    count: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, name: &str) {
        if self.count == 0 {
            self.first = name.to_owned();
        }
        self.count += 1;
    }

    /// The remark about names that were deleted before they could be read.
    pub(crate) fn deleted(&self) -> Option<String> {
        let first = &self.first;
        Some(match self.count {
            0 => return None,
            1 => format!("{first} was deleted before it could be read"),
            2 => format!("{first} and 1 other were deleted before they could be read"),
            n => format!("{first} and {} others were deleted before they could be read", n - 1),
        })
    }
}

/// Why names are left out of a listing.
#[derive(Debug, Default)]
pub(crate) struct PassedOver {
    pub(crate) aside: Tally,
    pub(crate) dangling: Tally,
    pub(crate) leading_out: Tally,
    pub(crate) special: Tally,
    pub(crate) not_after: Tally,
    pub(crate) listed_again: Tally,
}

impl PassedOver {
    /// The remarks about them.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let kinds = [
            (&self.aside, "hidden, or no data by their names (`_…`, README, `.md`, checksums)"),
            (&self.dangling, "links that lead nowhere"),
            (
                &self.leading_out,
                "links that lead out of the folder, to where SLUICE_ALLOW_FILES does not name",
            ),
            (&self.special, "not regular files (pipes, sockets, devices)"),
            (&self.not_after, "not behind `after`"),
            (&self.listed_again, "folders that are listed under another name already"),
        ];
        let found = kinds.into_iter().filter(|(tally, _)| tally.count > 0);
        found
            .map(|(Tally { first, count }, why)| {
                format!("passed over, {why}: {count}, such as {first}")
            })
            .collect()
    }
}
