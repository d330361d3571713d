create or replace function sluice._remove_missing(p_target oid, p_key text[], p_order_by text, p_mark_column text, p_search_path text, p_batch_id bigint)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set jit = off
as $$
declare
  v_is_noted text := format('t.tableoid = m.class and t.ctid = m.place and m.key_hash = %s', sluice._key_hash(p_target, p_key, 't'));
  v_write    text;
  v_written  bigint;
begin
  if p_mark_column is null then
    -- With a tombstone for each, as for any deleted key.
    v_write := format($sql$with written as (
  delete from %1$s t using pg_temp.sluice_missing m where %2$s returning m.key_hash, %3$s as key, %4$s as order_value),
buried as (
  insert into sluice.tombstones as d (target, key_hash, key, order_value, batch_id)
  select %5$L, w.key_hash, w.key, w.order_value, $1 from written w
  on conflict (target, key_hash) do update set order_value = excluded.order_value, batch_id = excluded.batch_id, deleted_at = excluded.deleted_at)$sql$,
      p_target::pg_catalog.regclass, v_is_noted, sluice._key_json(p_key, 't'),
      case when p_order_by is null then 'null::pg_catalog.text' else format('t.%I::pg_catalog.text', p_order_by) end, sluice._qualified_name(p_target));
  else
    select format($sql$with written as (
  update %1$s t set %2$I = %3$s, sluice_batch = $1 from pg_temp.sluice_missing m where %4$s returning m.place)$sql$,
        p_target::pg_catalog.regclass, a.attname,
        case a.atttypid when 'boolean'::regtype then 'm.is_missing' else 'case when m.is_missing then pg_catalog.now() end' end, v_is_noted)
      into v_write
    from pg_catalog.pg_attribute a where a.attrelid = p_target and a.attname = p_mark_column;
  end if;
  -- Triggers of the target see the definer's search_path, as under any writer.
  perform set_config('search_path', p_search_path, true);
  execute v_write || E'\nselect pg_catalog.count(*) from written' into v_written using p_batch_id;
  -- Deferred constraints would fail at commit, where nobody knows what they are about.
  set constraints all immediate;
  return v_written;
end
$$;

comment on function sluice._remove_missing(oid, text[], text, text, text, bigint) is
  'Deletes the rows of sluice_missing, or marks and unmarks them if there is a mark column; returns how many were written.';
