create or replace function sluice._with_backfills(p_pipeline_id integer)
returns integer[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(select p.pipeline_id from sluice.pipelines p where p_pipeline_id in (p.pipeline_id, p.backfill_of)
    order by 1)
$$;

comment on function sluice._with_backfills(integer) is
  'A pipeline and its backfills, which write to the same target and quarantine.';
