//! A table in another database, which tells all that was done to it.

use super::receiver::Receiver;
use super::{Shop, shop_sql};
use crate::support::sluice::Done;
use crate::support::{Loader, Proxy, Sluice, TestDb};
use std::ops::Deref;

/// A pipeline `items` on a folder, which delivers into `crm.items` of another database.
pub(super) struct Crm {
    shop: Shop,
    pub(super) there: TestDb,
}

impl Deref for Crm {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.shop
    }
}

/// What the other table is like, but for its key.
pub(super) const COLUMNS: &str = "id text primary key, n bigint";

impl Crm {
    pub(super) async fn new(settings: &str) -> Self {
        Self::with(COLUMNS, settings).await
    }

    /// `settings`: more arguments of `postgres_delivery`.
    pub(super) async fn with(columns: &str, settings: &str) -> Self {
        let there = TestDb::empty().await;
        there
            .execute(&format!(
                "create schema crm;
                 create table crm.items ({columns});
                 create table crm.log (place bigserial, did text, id text, n text);
                 create function crm.note() returns trigger language plpgsql as $$
                 declare v_row jsonb := to_jsonb(case tg_op when 'DELETE' then old else new end);
                 begin
                   insert into crm.log (did, id, n) values (lower(tg_op), v_row->>'id', v_row->>'n');
                   return null;
                 end $$;
                 create trigger note after insert or update or delete on crm.items
                   for each row execute function crm.note();"
            ))
            .await;
        let shop = Shop::at(Receiver::willing()).await;
        shop.db.execute(&shop_sql(&shop, &deliver(settings))).await;
        Crm { shop, there }
    }

    pub(super) async fn define(&self, settings: &str) {
        self.db.execute(&super::define_sql(&self.shop, &deliver(settings))).await;
    }

    pub(super) fn command(&self, args: &[&str]) -> Sluice {
        self.shop.command(args).env("CRM_DB", &self.there.url)
    }

    pub(super) fn deliver(&self, args: &[&str]) -> Done {
        self.command(args).run()
    }

    /// The command with one of its two databases behind a proxy.
    pub(super) fn through(&self, proxy: &Proxy, is_there: bool) -> Loader {
        let command = Sluice::bare().args(["deliver", "items"]);
        let (here, there) = match is_there {
            true => (self.db.url.clone(), proxy.url(&self.there)),
            false => (proxy.url(&self.db), self.there.url.clone()),
        };
        Loader::hit(proxy, command.env("DATABASE_URL", here).env("CRM_DB", there))
    }

    /// What was done there since the last time, as `did id n`.
    pub(super) async fn done(&self) -> Vec<String> {
        self.there
            .rows(
                "with gone as (delete from crm.log returning *)
                 select concat_ws(' ', did, id, n) from gone order by place",
            )
            .await
    }
}

pub(super) fn deliver(settings: &str) -> String {
    format!(
        "sluice.postgres_delivery(connection => sluice.connection(env => 'CRM_DB'), \"table\" => 'crm.items'{settings})"
    )
}
