//! A definition as SQL, printed and applied.

use crate::engine::{items_of_ids, problem};
use crate::support::TestDb;

const PRINTED: &str = "CREATE OR REPLACE FUNCTION shop.items_v1(doc jsonb)
 RETURNS TABLE(id bigint)
 LANGUAGE sql
 STABLE
AS $function$ select (doc->>'id')::bigint $function$;

select sluice.define_pipeline(
  name => 'items',
  version => 1,
  transform => 'shop.items_v1',
  target => 'shop.items',
  key => '{id}',
  source => sluice.file_source(
    path => '-'),
  max_bad_ratio => 1);";

#[tokio::test]
async fn it_is_printed_as_one_would_write_it() {
    let db = items_of_ids().await;
    assert_eq!(db.value("select sluice.definition('items')").await, PRINTED);
    problem(&db, "select sluice.definition('items', 7)")
        .await
        .refuses("pipeline items has no version 7", "it has 1");
}

#[tokio::test]
async fn what_is_printed_makes_the_same_pipeline_elsewhere_and_changes_nothing_here() {
    for source in [
        "sluice.file_source(path => 'it''s \\ \"here\".csv', header => false, columns => '{a,\"b c\"}', quote => '', settle_seconds => 5)",
        "sluice.object_source(url => 's3://lake/in/', path_style => false, pattern => '**/*.gz')",
        "sluice.http_source(url => 'https://api.example/x', method => 'POST', body => '{\"a\": null, \"b\": [1]}', params => '{\"q\": \"it''s\"}',
           retry_when => '{\"/code\": [\"busy\", 429]}', allow_hosts => '{cdn.example}', requests_per_second => 0.5,
           paging => sluice.page_number_paging(size_param => 'n', size => 50, start => 0, send_in => 'body'),
           auth => sluice.oauth2_auth(token_url => 'https://x/', client_id => 'me', env => 'SECRET', params => '{\"audience\": \"x\"}'))",
        "sluice.http_source(url => 'https://api.example/x', auth => sluice.header_auth(header => 'X-Key', file => '/run/key', prefix => 'Key '),
           since => sluice.since(param => 's', field => '/at', kind => 'unix', lag => '1 day 5 minutes', until_param => 'u'))",
    ] {
        let [here, there] = [TestDb::new().await, TestDb::new().await];
        for db in [&here, &there] {
            db.execute("create schema shop; create table shop.items (id bigint primary key, gone boolean)").await;
        }
        here.execute(&format!(
            "create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc->>'id')::bigint $$;
             set search_path = shop, public;
             select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items', key => '{{id}}',
               source => {source}, order_by => 'id', batch_rows => 500, retain_raw => '7 days', skip_known => false,
               retry_orphans => false, max_bad_ratio => 0.25, max_delete_ratio => 0.5);"
        ))
        .await;
        let state = "select to_jsonb(p) - 'created_at' - 'updated_at' || (to_jsonb(t) - 'defined_at' - 'definition')
                     from sluice.pipelines p join sluice.transforms t using (pipeline_id)";
        let printed = here.value("select sluice.definition('items')").await;
        there.execute(&format!("begin; {printed} commit;")).await;
        assert_eq!(there.value(state).await, here.value(state).await, "{printed}");
        assert_eq!(there.value("select sluice.definition('items')").await, printed);
        let before = here.value(state).await;
        here.execute(&format!("begin; {printed} commit;")).await;
        assert_eq!(here.value(state).await, before);
    }
}
