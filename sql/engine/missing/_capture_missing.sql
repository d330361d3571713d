create or replace function sluice._capture_missing(p_target oid, p_columns text[], p_key text[], p_mark_column text, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record := sluice._changes_wanted();
begin
  if not v_wanted.is_asked then
    return;
  end if;
  execute (
    select format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes)
select $1, pg_catalog.row_number() over (order by %1$s) - 1, %2$L, %3$s, %4$s
from pg_temp.sluice_missing m join %5$s t on t.tableoid = m.class and t.ctid = m.place
order by %1$s limit $2$sql$,
      (select string_agg(format('t.%I', k), ', ' order by n) from unnest(p_key) with ordinality as keys (k, n)),
      case when p_mark_column is null then 'delete' else 'update' end, sluice._key_json(p_key, 't'),
      case when p_mark_column is null
        then format('pg_catalog.json_build_object(%s)', string_agg(format('%L, pg_catalog.json_build_array(t.%I, null)', c.column_name, c.column_name), ', '))
        else format('pg_catalog.json_build_object(%L, pg_catalog.json_build_array(t.%I, %s))', p_mark_column, p_mark_column,
          (select case a.atttypid when 'boolean'::regtype then 'm.is_missing' else 'case when m.is_missing then pg_catalog.now() end' end
           from pg_catalog.pg_attribute a where a.attrelid = p_target and a.attname = p_mark_column)) end,
      p_target::pg_catalog.regclass)
    from sluice._target_columns(p_target, p_columns) c) using p_batch_id, v_wanted.most;
end
$$;

comment on function sluice._capture_missing(oid, text[], text[], text, bigint) is
  'Notes in sluice_changes what is about to become of the rows of sluice_missing, if capture_changes asked for it in this transaction.';
