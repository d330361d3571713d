create or replace function sluice._may_be_written_otherwise(p_target oid, p_column text)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(not o.collisdeterministic, false) or t.typtype <> 'e' and b.base_type not in (
    'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'text'::regtype, 'varchar'::regtype,
    'name'::regtype, '"char"'::regtype, 'uuid'::regtype, 'bytea'::regtype, 'oid'::regtype,
    'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'inet'::regtype, 'cidr'::regtype,
    'macaddr'::regtype, 'macaddr8'::regtype)
  from pg_attribute a
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type t on t.oid = b.base_type
  left join pg_collation o on o.oid = a.attcollation
  where a.attrelid = p_target and a.attname = p_column
$$;

comment on function sluice._may_be_written_otherwise(oid, text) is
  'Whether a column can hold equal values of different bytes: 1 and 1.0, 1 day and 24 hours, citext.';
