create or replace function sluice.pipeline_name(pipeline text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select (sluice._find_live_pipeline(pipeline)).name
$$;

comment on function sluice.pipeline_name is
$$The name itself, where a pipeline bears it; SL005, naming those there are, for any other, and for a backfill. For
conditions on views, which would be empty:
select * from sluice.status where pipeline = sluice.pipeline_name('ordres')$$;
