create or replace function sluice._check_reference(p_statement text, p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  -- Index lookups only: the cost must not grow with the parent table.
  execute p_statement using p_ordinals;
end
$$;

comment on function sluice._check_reference(text, integer[]) is
  'Notes the records whose parent row is missing; p_ordinals: only these, null for all.';
