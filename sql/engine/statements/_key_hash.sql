create or replace function sluice._key_hash(p_target oid, p_key text[], p_alias text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Equal keys, equal bytes: 1.0 is 1.00, -0 is 0, blanks at the end of a char do not count, and
  -- citext does not tell A from a. Where that cannot be had, see sluice._odd_key_column.
  select format('pg_catalog.substr(pg_catalog.sha256(pg_catalog.record_send(row(%s))), 1, 16)',
    string_agg(case
      when b.base_type = 'numeric'::regtype then format('pg_catalog.trim_scale(%s)', v.input)
      when b.base_type in ('float4'::regtype, 'float8'::regtype) then format('(%s + 0)', v.input)
      when b.base_type = 'bpchar'::regtype then format('(%s)::pg_catalog.text', v.input)
      when y.typname = 'citext' then format('pg_catalog.lower(%s collate pg_catalog."default")', v.input)
      else v.input end, ', ' order by a.attnum))
  from sluice._target_columns(p_target, p_key) c
  join pg_catalog.pg_attribute a on a.attrelid = p_target and a.attname = c.column_name
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_catalog.pg_type y on y.oid = b.base_type
  cross join lateral (select p_alias || substr(c.hash_input, 2) as input) v -- instead of "t"
$$;

comment on function sluice._key_hash(oid, text[], text) is
  'The expression that identifies the key of a row, given by its alias, in the same bytes whatever the session''s settings.';
