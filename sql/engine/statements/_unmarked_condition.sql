create or replace function sluice._unmarked_condition(p_target oid, p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format(case a.atttypid when 'boolean'::regtype then 't.%I is not true' else 't.%I is null' end, a.attname)
  from pg_attribute a
  where a.attrelid = p_target and a.attname = p_mark_column
$$;

comment on function sluice._unmarked_condition(oid, text) is
  'Whether a row t of the target is not marked as missing; null without a mark column.';
