create or replace function sluice._tombstone_sql(p_target oid, p_deleted_sql text, p_batch_sql text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into sluice.tombstones as d (target, key_hash, key, order_value, batch_id)
select %L, x.key_hash, x.key, x.order_value, %s from (%s) x
on conflict (target, key_hash) do update set
  order_value = excluded.order_value, batch_id = excluded.batch_id, deleted_at = excluded.deleted_at
where excluded.order_value is null or d.order_value is distinct from excluded.order_value$sql$,
    sluice._qualified_name(p_target), p_batch_sql, p_deleted_sql)
$$;

comment on function sluice._tombstone_sql(oid, text, text) is
  'Sets a tombstone for each deleted key. p_deleted_sql: selects key_hash, key, order_value; p_batch_sql: the batch.';
