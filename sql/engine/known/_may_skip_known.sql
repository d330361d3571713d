create or replace function sluice._may_skip_known(p_target oid, p_columns text[])
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select
    -- A place names one row: one heap, no partitions, no children.
    exists (
      select from pg_catalog.pg_class c join pg_catalog.pg_am a on a.oid = c.relam
      where c.oid = p_target and c.relkind = 'r' and not c.relhassubclass and a.amname = 'heap')
    -- Types whose every change shows in the fingerprint: no types of users under a domain, either.
    and not exists (
      select from pg_catalog.pg_attribute a
      join pg_catalog.pg_type t on t.oid = a.atttypid
      cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
      where a.attrelid = p_target and a.attname = any (p_columns)
        and (b.base_type >= 16384 and t.typtype <> 'e' or t.typtype = 'd' and t.typbasetype <> b.base_type))
    -- Constraints that say of a row that stands what they said when it was written.
    and not exists (
      select from pg_catalog.pg_constraint c
      where (c.conrelid = p_target or c.contypid in (
          select a.atttypid from pg_catalog.pg_attribute a where a.attrelid = p_target and a.attname = any (p_columns)))
        and (not c.convalidated or exists (
          select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_constraint'::regclass and d.objid = c.oid
            and d.refclassid = 'pg_catalog.pg_proc'::regclass)))
$$;

comment on function sluice._may_skip_known(oid, text[]) is
  'Whether the long way could only find the row of a known record unchanged, as far as the target is concerned.';
