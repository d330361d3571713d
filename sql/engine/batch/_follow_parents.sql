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
    perform sluice._write_by_hash(p_statement, null, null);
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

-- Temporary tables are joined by hash, and behind "offset 0" a target is looked up by index, however small it seems.
create or replace function sluice._write_by_hash(p_statement text, p_first integer, p_last integer)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
declare
  v_written bigint;
begin
  execute p_statement using p_first, p_last;
  get diagnostics v_written = row_count;
  return v_written;
end
$$;
