create or replace function sluice._live_name(p_name text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select o.name from sluice.pipelines o where o.pipeline_id = p.backfill_of), p.name)
  from sluice.pipelines p where p.name = p_name
$$;

comment on function sluice._live_name(text) is
$$The name of a pipeline, or of the one it is a backfill of: under that its records are known to transforms and in
quarantine.$$;
