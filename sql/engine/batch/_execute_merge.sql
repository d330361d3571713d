-- Runs a merge that is planned by index, while its triggers see the session's own settings: it is planned separately.
-- From PostgreSQL 17 on the statement says what it did. Before, a statement that was planned separately does not even
-- say how many rows it wrote, but the statistics of the table do; if they say something else than was expected, as
-- with a trigger that writes to the same table, p_is_exact asks the statement, under the settings of its plan.
create or replace function sluice._execute_merge(
  p_statement text, p_search_path text, p_target oid, p_is_exact boolean,
  out written bigint, out inserted bigint, out updated bigint, out deleted bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_action text;
begin
  if sluice._is_distributed(p_target) then
    perform set_config('search_path', p_search_path, true);
    execute p_statement into inserted, updated, deleted;
    written := inserted + updated + deleted;
  elsif current_setting('server_version_num')::integer >= 170000 then
    inserted := 0;
    updated := 0;
    deleted := 0;
    perform sluice._plan_by_index(
      'sluice_merge', p_statement || E'\nreturning merge_action()', p_search_path);
    perform set_config('search_path', p_search_path, true);
    -- Not in a common table expression, which some releases of 17 crash on.
    for v_action in execute 'execute sluice_merge' loop
      case v_action
        when 'INSERT' then inserted := inserted + 1;
        when 'UPDATE' then updated := updated + 1;
        when 'DELETE' then deleted := deleted + 1;
      end case;
    end loop;
    written := inserted + updated + deleted;
  elsif p_is_exact or not exists (select from pg_trigger t where t.tgrelid = p_target and not t.tgisinternal) then
    written := sluice._execute_by_index(p_statement, p_search_path);
  else
    perform sluice._plan_by_index('sluice_merge', p_statement, p_search_path);
    written := -sluice._rows_written(p_target);
    perform set_config('search_path', p_search_path, true);
    execute 'execute sluice_merge';
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    written := written + sluice._rows_written(p_target);
  end if;
end
$$;

comment on function sluice._execute_merge(text, text, oid, boolean) is
  'Runs the merge; says what it wrote, from PostgreSQL 17 on by action.';

-- The same if all rows are new. Defaults and triggers see the definer's search_path, as under any writer, and the
-- session's own settings.
create or replace function sluice._execute_insert(
  p_statement text, p_search_path text, p_keeps_places boolean,
  out written bigint, out places tid[], out inserted bigint, out updated bigint, out deleted bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('search_path', p_search_path, true);
  if p_keeps_places then
    execute format(
      E'with written as (%s\nreturning ctid)\nselect pg_catalog.count(*), pg_catalog.array_agg(ctid) from written',
      p_statement) into written, places;
  else
    execute p_statement;
    get diagnostics written = row_count;
  end if;
end
$$;

-- How many rows of a table, partitions included, this transaction has written so far.
create or replace function sluice._rows_written(p_target oid)
returns bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(pg_stat_get_xact_tuples_inserted(t.oid) + pg_stat_get_xact_tuples_updated(t.oid)
    + pg_stat_get_xact_tuples_deleted(t.oid)), 0)
  from (select p_target as oid union select p.relid from pg_partition_tree(p_target) p) t
$$;
