//! Which records of a batch came from where.

use super::super::OriginSpan;

#[derive(Debug, Default)]
pub(super) struct Origins(Vec<OriginSpan>);

/// What was noted at some moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct OriginsSavepoint {
    spans: usize,
    last_position: i64,
}

impl Origins {
    /// Records from `ordinal` on come from `origin`.
    pub(super) fn begin(&mut self, ordinal: i32, origin: &str) {
        if self.0.last().is_some_and(|span| span.origin == origin) {
            return;
        }
        // A span without records (an empty file) is replaced by the one that follows it.
        self.drop_empty(ordinal);
        self.0.push(OriginSpan {
            first_ordinal: ordinal,
            origin: origin.to_owned(),
            first_position: 0,
            last_position: 0,
        });
    }

    /// Notes in the current span where the record stands that is about to be added.
    pub(super) fn note(&mut self, ordinal: i32, position: i64) {
        if let Some(span) = self.0.last_mut() {
            if span.first_ordinal == ordinal {
                span.first_position = position;
            }
            span.last_position = position;
        }
    }

    pub(super) fn last(&self) -> Option<&OriginSpan> {
        self.0.last()
    }

    pub(super) fn savepoint(&self) -> OriginsSavepoint {
        OriginsSavepoint {
            spans: self.0.len(),
            last_position: self.last().map_or(0, |span| span.last_position),
        }
    }

    /// Spans after `before` are left empty; their next record says where they begin.
    pub(super) fn roll_back(&mut self, before: OriginsSavepoint) {
        let last = before.spans.checked_sub(1);
        if let Some(span) = last.and_then(|last| self.0.get_mut(last)) {
            span.last_position = before.last_position;
        }
    }

    /// The spans of a batch of `rows` records.
    pub(super) fn finish(mut self, rows: i32) -> Vec<OriginSpan> {
        self.drop_empty(rows);
        self.0
    }

    fn drop_empty(&mut self, ordinal: i32) {
        if self.last().is_some_and(|span| span.first_ordinal == ordinal) {
            self.0.pop();
        }
    }
}
