//! The promise of deliveries, whatever happens to a sender at whichever message: nothing is doubled, lost or out of
//! order. Each kind of destination says how its rows are loaded, sent and looked at.

use crate::support::loader::until_free;
use crate::support::sluice::Done;
use crate::support::{Fault, Loader, Proxy, TestDb, sampled};

pub(super) trait Subject {
    /// The database of the pipeline.
    fn db(&self) -> &TestDb;

    /// The database whose messages are counted and struck.
    fn struck(&self) -> &TestDb {
        self.db()
    }

    /// Loads all rows with this content; `is_last`: nothing disturbs the sender that follows.
    fn load_all(&self, n: u64, is_last: bool);

    /// A sender behind a proxy.
    fn send_through(&self, proxy: &Proxy) -> Loader;

    fn send(&self) -> Done;

    /// Forgets what has arrived.
    async fn forget(&self);

    /// Every row arrived as it was `after`, at most once as it was `before`, and in this order.
    async fn check(&self, before: u64, after: u64, context: &str);
}

/// Sends one change with the fault, then makes another one and sends it undisturbed; once for each of a sample of
/// messages. `SLUICE_FAULTS=all` leaves none out.
pub(super) async fn nothing_is_doubled_lost_or_reordered(
    subject: impl Subject,
    fault: Fault,
    sample: usize,
    offset: usize,
) {
    subject.load_all(0, false);
    let proxy = Proxy::new(subject.struck(), |_| None);
    subject.send_through(&proxy).wait().exits(0);
    let last = proxy.last_answer();
    assert!(last > 30, "{:?}", proxy.log());
    drop(proxy);
    subject.forget().await;
    let points = sampled(last, sample, offset);
    let mut fired = 0;
    for (round, number) in (1..).zip(&points) {
        let (before, after, number) = (2 * round, 2 * round + 1, *number);
        let context = format!("{fault:?} {number}");
        subject.load_all(before, false);
        let proxy = Proxy::once(subject.struck(), fault, move |message| message.number == number);
        let done = subject.send_through(&proxy).wait();
        fired += proxy.fired();
        let is_killed = matches!(fault, Fault::KillBefore | Fault::KillAfter);
        assert!(done.code == Some(0) || is_killed && done.code.is_none(), "{context}: {done:?}");
        proxy.release();
        drop(proxy);
        subject.load_all(after, true);
        let done = until_free(|| subject.send()).exits(0);
        let summaries = done.stdout.lines().filter(|line| line.contains(" waiting="));
        let mut waiting = summaries.filter(|line| !line.contains(" waiting=0 "));
        assert_eq!(waiting.next(), None, "{context}: {done:?}");
        subject.check(before, after, &context).await;
    }
    assert!(fired * 10 >= 9 * points.len(), "{fired} fired");
    let db = subject.db();
    let open = "select count(*) from sluice.outbox where state not in ('sent', 'superseded')";
    assert_eq!(db.value(open).await, "0");
    db.is_sound().await;
}
