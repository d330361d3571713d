//! What a loader would stumble on is said before its first run, each with its remedy.

use crate::support::{Sluice, TestDb};
use serde_json::Value;
use std::fs;

struct Shop {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Shop {
    /// A pipeline `items` of this source.
    async fn of(source: &str, more: &str) -> Self {
        let db = TestDb::new().await;
        db.execute(&format!(
            "create schema shop;
             create table shop.items (id bigint primary key, name text);
             create table shop.parents (id bigint primary key);
             create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
             language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
             create function shop.body_v1(r shop.items) returns jsonb language sql stable as $$ select to_jsonb(r) $$;
             revoke execute on function shop.body_v1 from public;
             select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
               key => '{{id}}', source => {source} {more})"
        ))
        .await;
        Shop { db, folder: tempfile::tempdir().unwrap() }
    }

    /// What it finds of the source and the delivery on a host that gives this.
    fn finds(&self, given: &[(&str, &str)]) -> Vec<String> {
        let none = ["FILES", "HOSTS", "ENV", "PROGRAMS"].map(|what| format!("SLUICE_ALLOW_{what}"));
        let bare = none.iter().fold(Sluice::on(&self.db), |sluice, name| sluice.without(name));
        let sluice = given.iter().fold(bare, |sluice, (name, value)| sluice.env(name, value));
        let done = sluice.args(["doctor", "--json"]).current_dir(self.folder.path()).run();
        let found: Vec<Value> = serde_json::from_str(&done.stdout).unwrap();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let found = found.iter().filter(|row| text(row, "check").contains(" of items"));
        found
            .map(|row| {
                format!("{} {}|{}", text(row, "verdict"), text(row, "detail"), text(row, "next"))
            })
            .collect()
    }
}

#[track_caller]
fn has(found: &[String], parts: &[&str]) {
    let is_it = |line: &String| parts.iter().all(|part| line.contains(part));
    assert!(found.iter().any(is_it), "{parts:?} is in none of {found:#?}");
}

#[tokio::test]
async fn hosts_files_and_variables_that_this_host_does_not_give_are_named_with_the_setting() {
    let shop = Shop::of(
        "sluice.http_source(url => 'https://api.shop.example/orders', allow_hosts => '{cdn.shop.example}',
           ca_file => '/srv/ca.pem', auth => sluice.oauth2_auth(token_url => 'https://login.shop.example/t',
             client_id => 'x', env => 'SHOP_SECRET'))",
        "",
    )
    .await;
    let found = shop.finds(&[]);
    for parts in [
        ["fail ", "the host \"api.shop.example:443\"", "SLUICE_ALLOW_HOSTS=api.shop.example"],
        ["fail ", "the host \"cdn.shop.example\"", "SLUICE_ALLOW_HOSTS=cdn.shop.example"],
        ["fail ", "the host \"login.shop.example:443\"", "SLUICE_ALLOW_HOSTS=login.shop.example"],
        ["fail ", "the environment variable \"SHOP_SECRET\"", "SLUICE_ALLOW_ENV=SHOP_SECRET"],
    ] {
        has(&found, &parts);
    }
    let hosts = [("SLUICE_ALLOW_HOSTS", "*.shop.example"), ("SLUICE_ALLOW_ENV", "*")];
    let found = shop.finds(&hosts);
    has(&found, &["ok may talk to api.shop.example:443"]);
    has(&found, &["fail ", "\"/srv/ca.pem\"", "SLUICE_ALLOW_FILES=/srv"]);
    has(&found, &["fail the environment variable `SHOP_SECRET` with the credential is not set"]);
    let found =
        shop.finds(&[&hosts[..], &[("SLUICE_ALLOW_FILES", "/srv"), ("SHOP_SECRET", "s")]].concat());
    has(&found, &["ok has the variable SHOP_SECRET"]);
    has(&found, &["fail the ca_file `/srv/ca.pem` cannot be used"]);
}

#[tokio::test]
async fn buckets_that_this_host_does_not_give_are_named() {
    let shop = Shop::of("sluice.object_source(url => 's3://lake/items/')", "").await;
    has(&shop.finds(&[]), &["fail ", "the bucket \"s3://lake\"", "SLUICE_ALLOW_HOSTS="]);
    has(
        &shop.finds(&[("SLUICE_ALLOW_HOSTS", "s3://lake")]),
        &["ok may read s3://lake/items/ as far as this host is concerned; the store was not asked"],
    );
}

#[tokio::test]
async fn programs_that_are_not_allowed_or_not_there_are_named() {
    let shop = Shop::of(
        "sluice.program_source(program => 'tap-shop', protocol => 'singer', stream => 'orders', config => 'shop.json',
           env => '{TAP_A,TAP_B}')",
        "",
    )
    .await;
    let found = shop.finds(&[("SLUICE_ALLOW_ENV", "TAP_*"), ("TAP_A", "1")]);
    has(
        &found,
        &[
            "fail the pipeline asks for the program \"tap-shop\"",
            "SLUICE_ALLOW_PROGRAMS=/path/to/tap-shop",
        ],
    );
    has(&found, &["fail ", "\"shop.json\" which this host does not give"]);
    has(&found, &["ok has the variable TAP_A"]);
    has(&found, &["fail the environment variable `TAP_B` with the credential is not set"]);
    let folder = shop.folder.path();
    let tap = folder.join("tap-shop");
    fs::write(&tap, "#!/bin/sh\n").unwrap();
    let given = folder.to_str().unwrap();
    let all = [("SLUICE_ALLOW_PROGRAMS", given), ("SLUICE_ALLOW_FILES", given)];
    has(&shop.finds(&all), &["fail ", "there is no file `shop.json`"]);
    fs::write(folder.join("shop.json"), "{}").unwrap();
    let mut may_run = fs::metadata(&tap).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut may_run, 0o755);
    fs::set_permissions(&tap, may_run).unwrap();
    let found = shop.finds(&all);
    has(&found, &[&format!("ok would start {}", tap.display())]);
    has(&found, &["ok may read shop.json"]);
}

#[tokio::test]
async fn databases_are_asked_for_their_table_and_its_key() {
    let shop = Shop::of("sluice.postgres_source(connection => sluice.connection(env => 'ERP'), \"table\" => 'erp.orders')", "").await;
    let erp = TestDb::empty().await;
    let given =
        [("SLUICE_ALLOW_ENV", "ERP"), ("SLUICE_ALLOW_HOSTS", "*"), ("SLUICE_ALLOW_FILES", "*")];
    let at = |url: &str| shop.finds(&[&given[..], &[("ERP", url)]].concat());
    has(
        &shop.finds(&given),
        &["fail the environment variable `ERP` with the credential is not set"],
    );
    has(
        &shop.finds(&[("SLUICE_ALLOW_ENV", "ERP"), ("ERP", &erp.url)]),
        &["fail ", "which this host does not give", "SLUICE_ALLOW_"],
    );
    has(&at("postgres://nobody@127.0.0.1:1/x?connect_timeout=2"), &["fail ", "127.0.0.1"]);
    has(&at(&erp.url), &["fail source erp.orders: the source has no table erp.orders"]);
    erp.execute("create schema erp; create table erp.orders (id bigint)").await;
    has(&at(&erp.url), &["the source's table erp.orders has no primary key", "key => '{id}'"]);
    erp.execute("alter table erp.orders add primary key (id)").await;
    has(&at(&erp.url), &["ok may read erp.orders there"]);
    erp.execute(
        "do $$ begin create role doctors_guest login;
         exception when duplicate_object or unique_violation then null; end $$; grant usage on schema erp to doctors_guest",
    )
    .await;
    has(&at(&as_guest(&erp.url)), &["fail ", "permission denied for table orders"]);
}

/// The same server as somebody else.
fn as_guest(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let (scheme, rest) = url.split_once("://").unwrap();
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let rest: String =
        rest.split_inclusive(['?', '&']).filter(|part| !part.starts_with("user=")).collect();
    format!("{scheme}://{rest}{separator}user=doctors_guest").replace("?&", "?")
}

#[tokio::test]
async fn sqlite_files_are_opened_and_asked_for_their_table() {
    let shop = Shop::of("sluice.sqlite_source(path => 'erp.db', \"table\" => 'orders')", "").await;
    has(
        &shop.finds(&[("SLUICE_ALLOW_FILES", "*")]),
        &["fail the SQLite file `erp.db` cannot be opened", "check the path"],
    );
    fs::write(shop.folder.path().join("erp.db"), "").unwrap();
    has(&shop.finds(&[("SLUICE_ALLOW_FILES", "*")]), &["fail ", "orders"]);
    has(&shop.finds(&[]), &["fail ", "\"erp.db\" which this host does not give"]);
}

#[tokio::test]
async fn deliveries_need_their_host_their_secret_and_their_body() {
    let shop = Shop::of(
        "sluice.file_source(path => '-')",
        ", deliver => sluice.http_delivery(url => 'https://crm.example/items/{id}', body => 'shop.body_v1',
             auth => sluice.bearer_auth(env => 'CRM_TOKEN'))",
    )
    .await;
    let found = shop.finds(&[]);
    has(&found, &["fail ", "the host \"crm.example:443\"", "SLUICE_ALLOW_HOSTS=crm.example"]);
    has(&found, &["fail ", "\"CRM_TOKEN\"", "SLUICE_ALLOW_ENV=CRM_TOKEN"]);
    let given =
        [("SLUICE_ALLOW_HOSTS", "crm.example"), ("SLUICE_ALLOW_ENV", "*"), ("CRM_TOKEN", "t")];
    assert_eq!(
        shop.finds(&given),
        ["ok has the variable CRM_TOKEN|-", "ok may talk to crm.example:443|-"]
    );
}
