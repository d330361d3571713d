create or replace function sluice._overlaps_target(p_statement text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- The look into the index, however few rows the planner thinks it would have to read instead.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_overlaps boolean;
begin
  execute p_statement into v_overlaps;
  return v_overlaps;
end
$$;

comment on function sluice._overlaps_target(text) is
  'Whether rows of the batch may meet rows of the target; false if they certainly do not.';
