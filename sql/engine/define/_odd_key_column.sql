create or replace function sluice._odd_key_column(p_target oid, p_key text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || o.collname, ''))
  from pg_catalog.pg_attribute a
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_catalog.pg_type t on t.oid = b.base_type
  left join pg_catalog.pg_collation o on o.oid = a.attcollation and not o.collisdeterministic
  where a.attrelid = p_target and a.attname = any (p_key) and (o.oid is not null or not (
    t.typtype = 'e' or t.typname = 'citext' or b.base_type in (
      'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float4'::regtype, 'float8'::regtype,
        'bool'::regtype,
      'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'name'::regtype, '"char"'::regtype, 'uuid'::regtype,
        'bytea'::regtype, 'oid'::regtype,
      'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
      'inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype, 'macaddr8'::regtype)))
  order by a.attnum limit 1
$$;

comment on function sluice._odd_key_column(oid, text[]) is
$$The first key column in which equal values may have different bytes (1 day and 24 hours), so that sluice._key_hash
could take one key for two.$$;
