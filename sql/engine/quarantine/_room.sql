create or replace function sluice._room(p_width integer)
returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select greatest(p_width - greatest(max(length(p.name)), length('pipeline')), 10) from sluice.pipelines p where p.backfill_of is null
$$;

comment on function sluice._room(integer) is
  'How many characters of so many are left beside the names of the pipelines.';
