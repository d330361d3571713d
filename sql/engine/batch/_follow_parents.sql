create or replace function sluice._follow_parents(p_statement text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from pg_temp.sluice_rows_1 r
    where r.sluice_state in ('s', 'o', 'u') or r.sluice_state is null and r.sluice_deleted)
  then
    perform sluice._execute_by_hash(p_statement, null, null);
  end if;
end
$$;

comment on function sluice._follow_parents(text) is
  'Children whose parent is superseded, outdated or deleted follow it, if there is such a parent.';

-- Records that make a child without its parent.
create or replace function sluice._note_orphans(p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_statement text;
begin
  for v_statement in select t.orphans_sql from pg_temp.sluice_targets t where t.orphans_sql is not null loop
    execute v_statement using p_ordinals;
  end loop;
end
$$;
