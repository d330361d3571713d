create or replace function sluice._bury_deleted_keys(p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_compiled record;
  v_target   text;
begin
  select c.target, c.key, c.order_by, c.has_deleted into v_compiled from pg_temp.sluice_compiled c;
  v_target := sluice._qualified_name(v_compiled.target);
  -- Keys that are there again.
  if exists (select from sluice.tombstones d where d.target = v_target) then
    execute format('delete from sluice.tombstones d using pg_temp.sluice_rows s where d.target = %L and d.key_hash = %s and s.sluice_state is null and not s.sluice_deleted',
      v_target, sluice._key_hash(v_compiled.target, v_compiled.key, 's'));
  end if;
  if v_compiled.has_deleted and exists (select from pg_temp.sluice_rows s where s.sluice_state is null and s.sluice_deleted) then
    -- Also keys that never were there: their rows may still be on the way.
    execute format($sql$insert into sluice.tombstones as d (target, key_hash, key, order_value, batch_id)
select %1$L, %2$s, %3$s, %4$s, $1 from pg_temp.sluice_rows s
where s.sluice_state is null and s.sluice_deleted and not exists (select from %5$s t where %6$s)
on conflict (target, key_hash) do update set order_value = excluded.order_value, batch_id = excluded.batch_id, deleted_at = excluded.deleted_at
where excluded.order_value is null or d.order_value is distinct from excluded.order_value$sql$,
      v_target, sluice._key_hash(v_compiled.target, v_compiled.key, 's'), sluice._key_json(v_compiled.key, 's'),
      case when v_compiled.order_by is null then 'null' else format('s.%I::pg_catalog.text', v_compiled.order_by) end,
      v_compiled.target::pg_catalog.regclass, sluice._key_condition(v_compiled.target, v_compiled.key, 't', 's')) using p_batch_id;
  end if;
end
$$;

comment on function sluice._bury_deleted_keys(bigint) is
  'After the merge: a tombstone for every key the batch deleted, none for those it brought back.';
