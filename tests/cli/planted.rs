//! What others put into a schema on the path is never called: neither by the installer, nor by any command.

use crate::support::{Sluice, TestDb};

/// Every operator that Postgres does not have for exactly these types, in public. Each raises when it is called.
const PLANT: &str = r#"
  create function public.trap() returns void language plpgsql as
    $$ begin raise exception 'a planted operator was called'; end $$;
  set search_path = pg_catalog, pg_temp;
  do $$
  declare
    v record;
  begin
    for v in
      with types as (
        select t::regtype as type from unnest('{text,varchar,name,int2,int4,int8,numeric,float8,bool,oid,json,jsonb,date,
          timestamp,timestamptz,interval,bytea,uuid,text[],int4[],int8[],regclass,regtype,xid,tid,pg_lsn}'::text[]) t)
      select l.type as left, r.type as right, array_agg(o.name) as names
      from types l cross join types r cross join unnest(array['=', '<>', '<', '>', '<=', '>=', '||', '+', '-', '*', '/',
        '%', '&', '|', '~', '!~', '~*', '@>', '<@', '?', '->', '->>', '#>', '#>>', '@?', '~~', '&&']) o (name)
      where not exists (
        select from pg_operator p where p.oprname = o.name and p.oprleft = l.type and p.oprright = r.type)
      group by 1, 2
    loop
      execute format('create function public.planted(%s, %s) returns boolean language plpgsql as
        $f$ begin perform public.trap(); return true; end $f$', v.left, v.right);
      for i in 1 .. cardinality(v.names) loop
        execute format('create operator public.%s (leftarg = %s, rightarg = %s, function = public.planted)',
          v.names[i], v.left, v.right);
      end loop;
    end loop;
  end $$;"#;

/// Functions that would fit a call better than the built-in one.
const FUNCTIONS: &str = "
  do $$
  declare v record;
  begin
    for v in
      select n.name, t.type from unnest('{concat,concat_ws,format,coalesce_,max,min,count,sum,array_agg,string_agg,round,left,
        right,length,lower,upper,now,sha256,substr,encode,to_jsonb,jsonb_typeof,jsonb_build_object,cardinality,
        array_to_string,quote_ident,quote_literal,nextval,set_config,to_regclass,greatest_,trim_scale}'::text[]) n (name)
      cross join unnest('{text,varchar,int4,int8,numeric,jsonb,name}'::text[]) t (type)
    loop
      execute format('create function public.%I(%s) returns text language plpgsql as
        $f$ begin perform public.trap(); return null; end $f$', v.name, v.type);
    end loop;
  end $$;";

#[tokio::test]
async fn operators_and_functions_planted_in_public_are_never_called() {
    let db = TestDb::empty().await;
    db.execute(PLANT).await;
    db.execute(FUNCTIONS).await;
    let traps = db.value("select count(*) from pg_operator where oprcode = any (array(select oid from pg_proc where proname = 'planted'))").await;
    assert!(traps.parse::<i64>().unwrap() > 10_000, "{traps}");

    let folder = tempfile::tempdir().unwrap();
    let definition = folder.path().join("items.sql");
    std::fs::write(
        &definition,
        "create schema shop;
         create table shop.items (id bigint primary key, name text not null, amount numeric(10,2));
         create function shop.items_v1(doc jsonb) returns table (id bigint, name text, amount numeric)
         language sql stable set search_path = pg_catalog, pg_temp
           as $$ select (doc->>'id')::bigint, doc->>'name', (doc->>'amount')::numeric $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{id}', order_by => 'amount', max_bad_ratio => 0.9, retain_raw => '7 days',
           source => sluice.file_source(path => '-', format => 'ndjson'), missing => 'delete');",
    )
    .unwrap();
    let records =
        b"{\"id\": 1, \"name\": \"a\", \"amount\": 1}\n{\"id\": 2}\n{\"id\": 2, \"name\": \"b\"}\n";
    let definition = definition.to_str().unwrap();
    for args in [
        &["migrate"][..],
        &["apply", definition],
        &["run", "items"],
        &["run", "items"],
        &["status"],
        &["quarantine", "items"],
        &["quarantine", "items", "--by-error"],
        &["quarantine", "items", "--where", "sqlstate operator(pg_catalog.=) '23502'"],
        &["replay", "items", "--dry-run"],
        &["replay", "items"],
        &["why", "items", r#"{"id": 1}"#],
        &["compare", "items", "1", "1"],
        &["verify", "--deep"],
        &["doctor"],
        &["versions", "items"],
        &["show", "items"],
        &["set", "items", "max_bad_ratio=0.5"],
        &["rewind", "items", "--to-start", "--dry-run"],
        &["rewind", "items", "--to-start"],
        &["pause", "items"],
        &["resume", "items"],
        &["drop", "items", "--yes"],
    ] {
        let done = Sluice::on(&db).args(args).run_with_input(records);
        let said = done.stdout + &done.stderr;
        assert!(!said.contains("planted operator"), "{args:?}: {said}");
        assert!(done.code == Some(0) || args[0] == "doctor", "{args:?}: {said}");
    }
}
