create or replace function sluice._check_references(p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- Index lookups only: the cost must not grow with the parent table.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_checks text[] := (select c.reference_checks from pg_temp.sluice_compiled c);
  v_check  text;
begin
  foreach v_check in array v_checks loop
    execute v_check using p_ordinals;
  end loop;
  if v_checks <> '{}' then
    perform sluice._mark_faulty_rows();
  end if;
end
$$;

comment on function sluice._check_references(integer[]) is
  'Notes the records whose parent row is missing as suspects; p_ordinals: looks at these only, null for all.';
