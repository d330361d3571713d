create or replace function sluice._meets_target(p_statement text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- The look into the index, however few rows the planner thinks it would have to read instead.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_meets boolean;
begin
  execute p_statement into v_meets;
  return v_meets;
end
$$;

comment on function sluice._meets_target(text) is
  'Whether rows of the batch may meet rows of the target; false if they certainly do not.';
