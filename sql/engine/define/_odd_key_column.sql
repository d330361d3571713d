create or replace function sluice._odd_key_column(p_target oid, p_key text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || o.collname, ''))
  from pg_attribute a
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type t on t.oid = b.base_type
  left join pg_collation o on o.oid = a.attcollation and not o.collisdeterministic
  where a.attrelid = p_target and a.attname = any (p_key) and sluice._may_be_written_otherwise(p_target, a.attname)
    and (o.oid is not null or t.typname <> 'citext' and b.base_type not in (
      'numeric'::regtype, 'float4'::regtype, 'float8'::regtype, 'bpchar'::regtype))
  order by a.attnum limit 1
$$;

comment on function sluice._odd_key_column(oid, text[]) is
$$The first key column in which equal values may have different bytes that sluice._key_hash does not know how to make
the same (1 day and 24 hours), so that it could take one key for two.$$;
