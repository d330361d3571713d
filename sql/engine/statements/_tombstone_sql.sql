create or replace function sluice._tombstone_sql(
  p_target oid, p_order_by text, p_deleted_sql text, p_batch_sql text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into sluice.tombstones as d (target, key_hash, key, order_value, order_by, batch_id)
select %L, x.key_hash, x.key, x.order_value, %L, %s from (%s) x
on conflict (target, key_hash) do update set
  order_value = excluded.order_value, order_by = excluded.order_by, batch_id = excluded.batch_id,
  deleted_at = excluded.deleted_at
where excluded.order_value is null
  or (d.order_value, d.order_by) is distinct from (excluded.order_value, excluded.order_by)$sql$,
    sluice._qualified_name(p_target), (sluice._orders(p_target, p_order_by))[1], p_batch_sql, p_deleted_sql)
$$;

comment on function sluice._tombstone_sql(oid, text, text, text) is
$$Sets a tombstone for each deleted key. p_deleted_sql: selects _buried_columns; p_batch_sql: the batch.$$;

-- What a tombstone keeps of a row, given by its alias: what _tombstone_sql selects.
create or replace function sluice._buried_columns(p_target oid, p_key text[], p_order_by text, p_alias text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('%s as key_hash, %s as key, %s as order_value', sluice._tombstone_hash(p_target, p_key, p_alias),
    sluice._key_json(p_key, p_alias), case when p_order_by is null then 'null::pg_catalog.text'
      else format('%s.%I::pg_catalog.text', p_alias, p_order_by) end)
$$;

-- The expression that identifies the key of a row in tombstones. They outlive the type of a column, which becomes
-- bigint or text one day: the hash is of names and values as text, in which 42 is 42 whatever its type.
create or replace function sluice._tombstone_hash(p_target oid, p_key text[], p_alias text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(%L || %s, ''UTF8'')), 1, 16)',
    array_agg(k.column_name order by k.column_name collate "C")::text,
    format(case when count(*) = 1 then '%s' else 'array[%s]::pg_catalog.text' end,
      string_agg(format('(%s)::pg_catalog.text', k.value), ', ' order by k.column_name collate "C")))
  from sluice._key_values(p_target, p_key, p_alias) k
$$;

-- Whether a tombstone d is of the key of a row, given by its alias, that has the columns of a version: by the key of
-- the version, or by that of another version or pipeline whose columns this one returns, too. p_is_typed: also if it
-- has a hash of before (tombstones.is_typed).
create or replace function sluice._tombstone_condition(
  p_target oid, p_key text[], p_columns text[], p_alias text, p_is_typed boolean default false)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target text := sluice._qualified_name(p_target);
  v_hashes text[];
begin
  v_hashes := array(
    select sluice._tombstone_hash(p_target, k.key, p_alias) from (
      select p_key as key
      union
      select t.key from sluice.pipelines p join sluice.transforms t using (pipeline_id) where p.target = v_target
      union
      select a.key from sluice.also_targets a where a.target = v_target) k
    where k.key <@ p_columns
    order by k.key <> p_key, k.key);
  if p_is_typed then
    v_hashes := v_hashes || sluice._key_hash(p_target, p_key, p_alias);
  end if;
  return format('d.target = %L and d.key_hash ', v_target)
    || case when v_hashes[2] is null then '= ' || v_hashes[1]
      else format('in (%s)', array_to_string(v_hashes, ', ')) end;
end
$$;

-- The order_by column and its type as tombstones name them; then the same with other types of which this one can take
-- any value. None without order_by.
create or replace function sluice._orders(p_target oid, p_order_by text)
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(format('%s %s', a.attname, format_type(y.type, null)) order by y.type <> a.atttypid, y.type)
  from pg_attribute a
  cross join lateral (
    select a.atttypid as type
    union
    select c.castsource from pg_cast c where c.casttarget = a.atttypid and c.castcontext = 'i') y
  where a.attrelid = p_target and a.attname = p_order_by
$$;
