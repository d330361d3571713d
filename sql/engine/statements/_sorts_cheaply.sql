create or replace function sluice._sorts_cheaply(p_target oid, p_key text[])
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; every batch asks.
begin
  return cardinality(p_key) = 1 and (
    select t.typbyval from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = p_target and a.attname = p_key[1]);
end
$$;

comment on function sluice._sorts_cheaply(oid, text[]) is
  'Whether equal keys are best found by sorting them: numbers, mostly in order.';
