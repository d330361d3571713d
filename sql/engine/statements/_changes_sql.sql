create or replace function sluice._changes_sql(p_target oid, p_columns text[], p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- json, not jsonb, which would not keep the order of the columns.
  select format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes)
select $1, s.sluice_ordinal, a.action, %1$s, case when a.action <> 'stale' then (
  select pg_catalog.json_object_agg(c.name, pg_catalog.json_build_array(c.old, c.new))
  from (values %2$s) c (name, old, new) where c.old is distinct from c.new) end
from pg_temp.sluice_rows s
left join %3$s t on %4$s
cross join lateral (select case
    when s.sluice_state = 'o' then 'stale'
    when s.sluice_state = 'u' then 'unsure'
    when t.%5$I is null then case when s.sluice_deleted then 'unchanged' else 'insert' end
    when %6$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as action) a
where (s.sluice_state is null or s.sluice_state in ('o', 'u')) and a.action <> 'unchanged'
order by s.sluice_ordinal, s.sluice_line
limit $2$sql$,
    sluice._key_json(p_key, 's'),
    string_agg(format('(%1$L, pg_catalog.to_jsonb(t.%1$I), case when not s.sluice_deleted then pg_catalog.to_jsonb(s.%1$I) end)', c.column_name), ', '),
    p_target::pg_catalog.regclass, sluice._key_condition(p_target, p_key, 't', 's'), p_key[1], sluice._stale_condition(p_target, p_order_by))
  from sluice._target_columns(p_target, p_columns) c
$$;

comment on function sluice._changes_sql(oid, text[], text[], text) is
  'What the merge is about to change, cell by cell: {"amount": [old, new], ...}. $1: batch id; $2: so many rows, null for all.';
