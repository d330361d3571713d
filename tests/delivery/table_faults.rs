//! A sender that dies, is cut off or sleeps at any message to either database: in the table nothing is done twice,
//! nothing is missing, and older content never comes behind newer. Nor is a row lost that the table refuses.

use super::crm::Crm;
use super::faults::ROWS;
use super::interrupted::{Subject, nothing_is_doubled_lost_or_reordered};
use super::puts;
use crate::support::sluice::Done;
use crate::support::wire::From;
use crate::support::{Fault, Loader, Proxy, TestDb};

/// A row that it refuses as it is before, and takes as it is afterwards.
const COLUMNS: &str =
    "id text primary key, n bigint, constraint odd check (id <> '3' or n % 2 = 1)";

/// A table in another database, and which of the two databases is struck.
struct Table {
    crm: Crm,
    is_there: bool,
}

impl Subject for Table {
    fn db(&self) -> &TestDb {
        &self.crm.db
    }

    fn struck(&self) -> &TestDb {
        match self.is_there {
            true => &self.crm.there,
            false => &self.crm.db,
        }
    }

    fn load_all(&self, n: u64, _is_last: bool) {
        self.crm.load(puts(ROWS, n));
    }

    fn send_through(&self, proxy: &Proxy) -> Loader {
        self.crm.through(proxy, self.is_there)
    }

    fn send(&self) -> Done {
        self.crm.deliver(&[])
    }

    async fn forget(&self) {
        self.crm.done().await;
    }

    async fn check(&self, before: u64, after: u64, context: &str) {
        let done = self.crm.done().await;
        for id in 0..ROWS {
            let of_row: Vec<&String> = done
                .iter()
                .filter(|line| line.split(' ').nth(1) == Some(&id.to_string()))
                .collect();
            let first = if before == 2 && id == 3 { "insert" } else { "update" };
            let both = [format!("update {id} {before}"), format!("{first} {id} {after}")];
            let both = [&both[0], &both[1]];
            let is_right = of_row == both[1..] || id != 3 && of_row == both;
            assert!(is_right, "{context}: {of_row:?} of {done:?}");
        }
    }
}

async fn check(fault: Fault, is_there: bool, offset: usize) {
    let crm = Crm::with(COLUMNS, ", parcel_rows => 4").await;
    nothing_is_doubled_lost_or_reordered(Table { crm, is_there }, fault, 12, offset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_before_any_message_to_the_outbox_changes_nothing_twice() {
    check(Fault::KillBefore, false, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_behind_any_message_to_the_table_changes_nothing_twice() {
    check(Fault::KillAfter, true, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_before_any_message_to_the_table_changes_nothing_twice() {
    check(Fault::KillBefore, true, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_before_any_message_to_the_table_goes_on() {
    check(Fault::CutBefore, true, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_behind_any_message_to_the_table_goes_on() {
    check(Fault::CutAfter, true, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_from_the_table_without_its_servers_knowledge_goes_on() {
    check(Fault::HalfOpen, true, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_behind_any_message_to_the_outbox_goes_on() {
    check(Fault::CutAfter, false, 6).await;
}

/// The one that slept holds what it has claimed, and wakes when newer content is there.
async fn a_sleeper_writes_nothing_over_newer_content(is_it: fn(&str) -> bool) {
    let crm = Crm::new("").await;
    crm.load(puts(ROWS, 0));
    crm.deliver(&[]).exits(0);
    crm.load(puts(ROWS, 1));
    crm.done().await;
    let proxy = Proxy::once(&crm.there, Fault::StopAndHold, move |message| {
        message.from == From::Loader && is_it(&message.statement)
    });
    let sleeper = crm.through(&proxy, true);
    proxy.wait_until_fired(1);
    crm.load(puts(ROWS, 2));
    let done = crm.deliver(&["--takeover"]).exits(0);
    assert_eq!(done.summary().count("waiting"), 0);
    proxy.release();
    sleeper.wake();
    let slept = sleeper.wait();
    assert!(matches!(slept.code, Some(1 | 4 | 75)), "{slept:?}");
    let mut expected: Vec<String> =
        (1..3).flat_map(|n| (0..ROWS).map(move |id| format!("update {id} {n}"))).collect();
    let mut done = crm.done().await;
    // In their order, whatever that of the rows within one.
    done[..9].sort();
    done[9..].sort();
    expected.sort_by_key(|line| line.split(' ').nth(2).map(str::to_owned));
    assert_eq!(done, expected);
    assert_eq!(crm.there.value("select sum(n) from crm.items").await, "18");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_sleeps_before_its_transaction_writes_nothing_when_it_wakes() {
    a_sleeper_writes_nothing_over_newer_content(|statement| {
        statement.contains("sluice_parcels where stream")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_sleeps_before_its_commit_writes_nothing_when_it_wakes() {
    a_sleeper_writes_nothing_over_newer_content(|statement| {
        statement.starts_with("set constraints")
    })
    .await;
}
