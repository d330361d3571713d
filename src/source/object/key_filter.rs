//! Which keys are read.

use std::path::Path;

use glob::{MatchOptions, Pattern};

use crate::source::names::{is_aside, is_unfinished};
use crate::source::units::PassedOver;

/// Those that match the pattern, or all that look like data, and whose names come after another.
pub(super) struct KeyFilter(Option<Pattern>, Option<String>);

const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl KeyFilter {
    pub(super) fn new(pattern: Option<Pattern>, after: Option<String>) -> Self {
        KeyFilter(pattern, after)
    }

    /// Whether the object `name`, whose key is `below` the prefix, is asked for.
    pub(super) fn wants(&self, below: &str, name: &str, passed_over: &mut PassedOver) -> bool {
        let (fits, wants_unfinished) = match &self.0 {
            None => (true, false),
            Some(pattern) => (
                pattern.matches_with(below, MATCHING),
                // Who asks for `*.part` by name gets it.
                is_unfinished(Path::new(pattern.as_str())),
            ),
        };
        if !fits || is_unfinished(Path::new(below)) && !wants_unfinished {
            return false;
        }
        if self.1.as_deref().is_some_and(|after| name <= after) {
            passed_over.not_after.add(name);
            return false;
        }
        let is_put_aside = below.split('/').any(|part| self.is_put_aside(part));
        if is_put_aside {
            passed_over.aside.add(name);
        }
        !is_put_aside
    }

    /// Whether its name says that it is not data, and it was not asked for by that name.
    fn is_put_aside(&self, part: &str) -> bool {
        let named = |wanted: &str| {
            is_aside(wanted)
                && Pattern::new(wanted).is_ok_and(|wanted| wanted.matches_with(part, MATCHING))
        };
        let is_named = |pattern: &Pattern| pattern.as_str().split('/').any(named);
        is_aside(part) && !self.0.as_ref().is_some_and(is_named)
    }

    /// Said when there was nothing to read under `url`, and never had been.
    pub(super) fn nothing(&self, url: &str) -> String {
        match &self.0 {
            None => format!("there is no object with content under `{url}`"),
            Some(pattern) => format!("no object under `{url}` matches `{pattern}`"),
        }
    }
}
