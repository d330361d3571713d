//! What the end of the pages proves.

use super::{FetchedPage, HttpSource};
use crate::source::{Proof, Reason};

impl HttpSource {
    /// What the last page proves.
    pub(super) fn prove(&self, fetched: &FetchedPage) -> Proof {
        let records = self.sweep.records - self.records_before;
        if let Some(total) = fetched.total.filter(|total| *total > records) {
            let why = format!(
                "the source counts {total} records, and its pages held {records}: rows may have moved between pages while they were read"
            );
            self.means.remarks.add(&why);
            return self.waiting(why);
        }
        if fetched.lacks_lead && self.is_first_sweep && self.sweep.pages == 1 && records > 0 {
            let why = "the first page does not say where the next one is";
            self.means.remarks.add(format!(
                "{why}, and was taken for the only one: check `next` in the paging"
            ));
            return Proof::Partial(Reason::Inconclusive(why.to_owned()));
        }
        Proof::Complete
    }

    pub(super) fn waiting(&self, why: String) -> Proof {
        Proof::Partial(Reason::Waiting {
            name: self.exchange.redactor.clean(self.settings().url.as_str()),
            why,
        })
    }

    pub(super) fn remark_on_marks(&self) {
        let field = self.since().and_then(|since| since.field.as_ref());
        if let Some(field) = field.filter(|_| self.unmarked > 0) {
            self.means.remarks.add(format!(
                "{} records have no usable `{}`, which `since` goes by",
                self.unmarked,
                field.text()
            ));
        }
    }
}
