-- Index lookups in the target only: the cost of a batch must not grow with the target, and a temporary table
-- without statistics invites a plan that reads all of it. The statement has no parameters, so the plan that is
-- made here is the one that runs: "execute p_name", under the same search_path and without these settings, which
-- are nothing to the triggers that fire meanwhile.
create or replace function sluice._plan_by_index(
  p_name text, p_statement text, p_search_path text default 'pg_catalog, pg_temp')
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  perform set_config('search_path', p_search_path, true);
  perform sluice._prepare(p_name, null, p_statement);
  execute format('explain execute %I', p_name);
end
$$;

comment on function sluice._plan_by_index(text, text, text) is
  'Prepares a statement of a batch, planned by index lookups.';

-- Executes a statement that is planned like that, and whose triggers, if any, see these settings; returns how many rows
-- it wrote.
create or replace function sluice._execute_by_index(p_statement text, p_search_path text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_written bigint;
begin
  perform set_config('search_path', p_search_path, true);
  execute p_statement;
  get diagnostics v_written = row_count;
  return v_written;
end
$$;

-- For statements that join temporary tables: by hash; the target they look up by index, however small it seems, as that
-- stands in a subquery with "offset 0".
create or replace function sluice._execute_by_hash(p_statement text, p_first integer, p_last integer)
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

-- Prepares a statement, with parameters of p_types if any, replacing an earlier one with that name. A rollback does
-- not undo it.
create or replace function sluice._prepare(p_name text, p_types text, p_statement text)
returns void
language plpgsql volatile
as $$
-- No search_path of its own: the statement is read under the caller's.
begin
  if exists (select from pg_catalog.pg_prepared_statements where name = p_name) then
    execute pg_catalog.format('deallocate %I', p_name);
  end if;
  execute pg_catalog.format('prepare %I%s as %s', p_name, '(' || p_types || ')', p_statement);
end
$$;
