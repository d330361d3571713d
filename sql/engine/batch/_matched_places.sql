create or replace function sluice._matched_places(p_statement text)
returns tid[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_places tid[];
begin
  -- Index lookups only: the cost must not grow with the target.
  execute p_statement into v_places;
  return coalesce(v_places, '{}');
end
$$;

comment on function sluice._matched_places(text) is
  'Where in the target the rows stand that rows of the batch will meet.';
