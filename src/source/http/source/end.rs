//! What follows a page, and whether the sweep was complete.

use super::{FetchedPage, HttpSource};
use crate::source::{Progress, Proof, Reason};

impl HttpSource {
    /// Moves on after a page.
    pub(super) fn turn(&mut self, fetched: &FetchedPage) -> Progress {
        self.pages += 1;
        self.sweep.pages += 1;
        self.sweep.records += fetched.page.records();
        if let Some(next) = &fetched.next {
            self.sweep.next = next.clone();
            self.sweep.is_doubtful = fetched.is_doubtful;
            if fetched.page.records() > 0 {
                self.sweep.before = Some(hex::encode(fetched.page.digest));
            }
            let credential = next.credential();
            self.tell_of_links(credential.as_deref());
            let max = self.settings().max_pages;
            return match max.filter(|max| self.pages >= *max) {
                None => Progress::UnitEnded(Proof::Complete),
                Some(max) => {
                    let why = match credential {
                        None => {
                            format!("max_pages = {max} are read; the next run goes on with {next}")
                        }
                        Some(_) => format!(
                            "max_pages = {max} are read, and no run will get beyond them: raise max_pages"
                        ),
                    };
                    self.fetcher = None;
                    Progress::End(self.waiting(why))
                }
            };
        }
        let proof = self.prove(fetched);
        let now = self.sweep.began();
        let span =
            self.since().and_then(|since| since.next_span(&self.sweep.span(), self.range(), now));
        match span {
            Some(span) => {
                let first = self.settings().paging.first();
                self.sweep.turn_to(span, first);
                self.records_before = self.sweep.records;
                self.fetcher = None;
                Progress::UnitEnded(proof)
            }
            None => match self.next_row() {
                Some(row) => {
                    let first = self.settings().paging.first();
                    self.sweep.row = Some(row);
                    self.sweep.begin_with(first);
                    self.records_before = self.sweep.records;
                    self.fetcher = None;
                    Progress::UnitEnded(proof)
                }
                None => {
                    self.is_over = true;
                    self.remark_on_marks();
                    Progress::End(proof)
                }
            },
        }
    }

    /// Notes once that links with a credential are not stored.
    fn tell_of_links(&mut self, credential: Option<&str>) {
        if let Some(name) = credential.filter(|_| !self.has_told_of_links) {
            self.has_told_of_links = true;
            self.context.remarks.add(format!(
                "the links of the source carry a credential (\"{name}\"), which is kept nowhere: a run that is broken off \
                 begins anew with the first page"
            ));
        }
    }

    /// The row of `for_each` after the current one.
    fn next_row(&self) -> Option<String> {
        let row = self.sweep.row.as_ref()?;
        let at = self.rows.iter().position(|other| other == row)?;
        self.rows.get(at + 1).cloned()
    }

    /// Whether the last page proves that all were read.
    fn prove(&mut self, fetched: &FetchedPage) -> Proof {
        let records = self.sweep.records - self.records_before;
        if let Some(total) = fetched.total.filter(|total| *total > records) {
            let why = format!(
                "the source counts {total} records, and its pages held {records}: rows may have moved between pages while they were read"
            );
            return self.waiting(why);
        }
        let more = self.unread(fetched);
        let is_doubtful = self.is_first_sweep || more.is_some();
        if fetched.lacks_next && is_doubtful && self.sweep.pages == 1 && records > 0 {
            let why = "the first page does not say where the next one is";
            self.context
                .remarks
                .add(format!("{why}, and was taken for the only one: check `next` in the paging"));
            return Proof::Partial(Reason::Inconclusive(why.to_owned()));
        }
        if let Some(place) = more.filter(|_| !self.has_told_of_more) {
            self.has_told_of_more = true;
            let why = match self.settings().paging.is_none() {
                true => "no `paging` is set",
                false => "the `paging` that is set does not lead there",
            };
            self.context.remarks.add(format!(
                "{place} of {} shows that there are more pages, and {why}: only this one was read",
                fetched.page.origin
            ));
        }
        Proof::Complete
    }

    /// What shows that there are pages behind the only one that was read.
    fn unread<'a>(&self, fetched: &'a FetchedPage) -> Option<&'a String> {
        let paging = &self.settings().paging;
        let is_only = fetched.at == paging.first() && !paging.tells_end(&fetched.page.signals);
        fetched.page.more.as_ref().filter(|_| is_only)
    }

    fn waiting(&self, why: String) -> Proof {
        Proof::Partial(Reason::Waiting {
            name: self.exchange.redactor.clean(self.settings().url.as_str()),
            why,
        })
    }

    fn remark_on_marks(&self) {
        let field = self.since().and_then(|since| since.field.as_ref());
        if let Some(field) = field.filter(|_| self.unmarked > 0) {
            self.context.remarks.add(format!(
                "{} records have no usable `{}`, which `since` goes by",
                self.unmarked,
                field.text()
            ));
        }
    }
}
