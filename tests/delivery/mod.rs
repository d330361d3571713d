//! What batches wrote, sent to a server that keeps idempotency keys, as they say; and into a table of another database.

mod answers;
mod bulk;
mod crm;
mod faults;
mod interrupted;
mod order;
mod other_key;
mod parcel_faults;
mod parcels;
mod receiver;
mod refusals;
mod sends;
mod table;
mod table_faults;
mod target_faults;
mod targets;

use crate::support::sluice::Done;
use crate::support::{Loader, Sluice, TestDb};
use receiver::Receiver;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A pipeline `items` on a folder, which delivers to a receiver.
struct Shop {
    db: TestDb,
    folder: TempDir,
    receiver: Receiver,
    files: AtomicUsize,
}

impl Shop {
    /// `settings`: more arguments of `http_delivery`.
    async fn new(receiver: Receiver, settings: &str) -> Self {
        let url = format!("{}/items/{{id}}", receiver.url());
        let shop = Shop::at(receiver).await;
        let deliver = format!("sluice.http_delivery(url => '{url}', method => 'PUT'{settings})");
        shop.db.execute(&shop_sql(&shop, &deliver)).await;
        shop
    }

    /// Without a pipeline.
    async fn at(receiver: Receiver) -> Self {
        Shop {
            db: TestDb::new().await,
            folder: TempDir::new().unwrap(),
            receiver,
            files: AtomicUsize::new(0),
        }
    }

    /// Lets the next run find these records.
    fn offer(&self, records: impl IntoIterator<Item = String>) {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let lines = records.into_iter().fold(String::new(), |mut lines, record| {
            let _ = writeln!(lines, "{record}");
            lines
        });
        std::fs::write(self.folder.path().join(format!("{number:05}.ndjson")), lines).unwrap();
    }

    /// Loads these records.
    fn load(&self, records: impl IntoIterator<Item = String>) {
        self.offer(records);
        Sluice::on(&self.db).args(["run", "items"]).run().exits(0);
    }

    /// `sluice deliver items` to its end.
    fn deliver(&self, args: &[&str]) -> Done {
        self.command(args).run()
    }

    /// The same, to be killed, stopped or waited for.
    fn start(&self, args: &[&str]) -> Loader {
        Loader::of(self.command(args))
    }

    fn command(&self, args: &[&str]) -> Sluice {
        Sluice::on(&self.db)
            .args(["deliver", "items"])
            .args(args)
            .env("CRM_TOKEN", "a-secret-token")
            .env("CRM_SIGNING", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    async fn states(&self) -> Vec<String> {
        self.db.rows("select state, count(*) from sluice.outbox group by 1 order by 1").await
    }
}

/// The table, its transform, and the pipeline.
fn shop_sql(shop: &Shop, deliver: &str) -> String {
    format!(
        "create schema shop;
         create table shop.items (id text primary key, n bigint);
         create function shop.items_v1(doc jsonb) returns table (id text, n bigint, sluice_deleted boolean)
         language sql stable as $$ select doc->>'id', (doc->>'n')::bigint, (doc->>'del')::boolean $$;
         {}",
        define_sql(shop, deliver)
    )
}

fn define_sql(shop: &Shop, deliver: &str) -> String {
    format!(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}',
           source => sluice.file_source(path => '{}/*.ndjson', settle_seconds => 0), deliver => {deliver})",
        shop.folder.path().display(),
    )
}

fn put(id: impl std::fmt::Display, n: u64) -> String {
    format!(r#"{{"id": "{id}", "n": {n}}}"#)
}

fn puts(count: u64, n: u64) -> impl Iterator<Item = String> {
    (0..count).map(move |id| put(id, n))
}
