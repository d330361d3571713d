create or replace function sluice._changes_sql(p_target oid, p_columns text[], p_key text[], p_order_by text)
returns text
language sql stable
set search_path = ''
as $$
  select format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes)
select $1, s.sluice_ordinal, a.action, %1$s, case a.action
  when 'insert' then (select pg_catalog.jsonb_object_agg(n.key, pg_catalog.jsonb_build_array(null, n.value)) from pg_catalog.jsonb_each(%2$s) n)
  when 'delete' then (select pg_catalog.jsonb_object_agg(o.key, pg_catalog.jsonb_build_array(o.value, null)) from pg_catalog.jsonb_each(%3$s) o)
  when 'update' then (select pg_catalog.jsonb_object_agg(n.key, pg_catalog.jsonb_build_array(o.value, n.value))
    from pg_catalog.jsonb_each(%2$s) n join pg_catalog.jsonb_each(%3$s) o using (key) where n.value is distinct from o.value) end
from pg_temp.sluice_rows s
left join %4$s t on %5$s
cross join lateral (select case
    when t.%6$I is null then case when s.sluice_deleted then 'unchanged' else 'insert' end
    when %7$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as action) a
where s.sluice_state is null and a.action <> 'unchanged'
order by s.sluice_ordinal, s.ctid
limit $2$sql$,
    sluice._key_json(p_key, 's'),
    format('pg_catalog.jsonb_build_object(%s)', string_agg(format('%L, s.%I', c.column_name, c.column_name), ', ')),
    format('pg_catalog.jsonb_build_object(%s)', string_agg(format('%L, t.%I', c.column_name, c.column_name), ', ')),
    p_target::pg_catalog.regclass, sluice._key_condition(p_target, p_key, 't', 's'), p_key[1], sluice._stale_condition(p_target, p_order_by))
  from sluice._target_columns(p_target, p_columns) c
$$;

comment on function sluice._changes_sql(oid, text[], text[], text) is
  'What the merge is about to change, cell by cell: {"amount": [old, new], ...}. $1: batch id; $2: so many rows, null for all.';
