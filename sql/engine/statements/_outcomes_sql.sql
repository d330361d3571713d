-- What will happen to each row of a batch, said once: the merge is held to these numbers, dry runs show
-- these changes, and versions are compared by them. The columns that are not asked for cost nothing.
create or replace function sluice._outcomes_sql(p_target oid, p_columns text[], p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- json, not jsonb, which would not keep the order of the columns.
  select format($sql$select s.sluice_state as state, s.sluice_ordinal as ordinal, s.sluice_line as line, s.sluice_hash as hash,
  %1$s as key,
  %2$s as key_hash,
  case
    when s.sluice_state = 's' then 'superseded'
    when s.sluice_state = 'o' then 'stale'
    when s.sluice_state = 'u' then 'unsure'
    when t.%3$I is null and s.sluice_deleted then 'unchanged'
    when t.%3$I is null then 'insert'
    when %4$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as outcome,
  (select pg_catalog.json_object_agg(c.name, pg_catalog.json_build_array(c.old, c.new))
   from (values %5$s) c (name, old, new)
   where c.old is distinct from c.new) as changes
from pg_temp.sluice_rows s
left join %6$s t on %7$s$sql$,
    sluice._key_json(p_key, 's'), sluice._key_hash(p_target, p_key, 's'), p_key[1], sluice._stale_condition(p_target, p_order_by),
    string_agg(format('(%1$L, pg_catalog.to_jsonb(t.%1$I), case when not s.sluice_deleted then pg_catalog.to_jsonb(s.%1$I) end)', c.column_name), E',\n     '),
    p_target::regclass, sluice._key_condition(p_target, p_key, 't', 's'))
  from sluice._target_columns(p_target, p_columns) c
$$;

comment on function sluice._outcomes_sql(oid, text[], text[], text) is
  'What each row of the batch would come to in the target as it is now, and the cells it would change: {"amount": [old, new], ...}.';
