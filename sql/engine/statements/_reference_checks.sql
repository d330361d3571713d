-- For each foreign key over columns that the transform returns, the statement that notes records without a parent as
-- suspects. $1: only these ordinals, null for all. A parent table that the loader may not read is left to the merge,
-- and so are those that the batch also loads (p_others) and those on other servers.
create or replace function sluice._reference_checks(p_target oid, p_columns text[], p_others oid[])
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key    record;
  v_checks text[] := '{}';
begin
  -- Mostly there is none, and then none of this is planned.
  if not exists (select from pg_constraint c where c.conrelid = p_target and c.contype = 'f') then
    return v_checks;
  end if;
  for v_key in
    select c.conname, c.confrelid, child.relname as child, parent.relname as parent,
      string_agg(quote_ident(ca.attname), ', ' order by k.n) as names,
      string_agg('%s', ', ') as places,
      string_agg(format('r.%I', ca.attname), ', ' order by k.n) as child_columns,
      string_agg(format('p.%I', pa.attname), ', ' order by k.n) as parent_columns,
      string_agg(format('r.%I is not null', ca.attname), ' and ' order by k.n) as child_present,
      string_agg(format('p.%I is not null', pa.attname), ' and ' order by k.n) as parent_present,
      string_agg(format('p.%I operator(%I.%s) r.%I', pa.attname, n.nspname, o.oprname, ca.attname), ' and '
        order by k.n) as matches,
      case when count(*) = 1 then min(ca.attname::text) end as column_name
    from pg_constraint c
    join pg_class child on child.oid = c.conrelid
    join pg_class parent on parent.oid = c.confrelid
    cross join lateral unnest(c.conkey, c.confkey, c.conpfeqop) with ordinality as k (child, parent, operator, n)
    join pg_attribute ca on ca.attrelid = c.conrelid and ca.attnum = k.child
    join pg_attribute pa on pa.attrelid = c.confrelid and pa.attnum = k.parent
    join pg_operator o on o.oid = k.operator
    join pg_namespace n on n.oid = o.oprnamespace
    where c.conrelid = p_target and c.contype = 'f' and c.conparentid = 0 and c.confrelid <> all (p_others)
      and to_jsonb(c) ->> 'conenforced' is distinct from 'false' -- PostgreSQL 18
      and to_jsonb(c) ->> 'conperiod' is distinct from 'true' -- PostgreSQL 18; left to the merge
      and not row_security_active(c.confrelid) and not sluice._is_distributed(c.confrelid)
    group by c.oid, c.conname, c.confrelid, child.relname, parent.relname
    having bool_and(ca.attname = any (p_columns) and has_column_privilege(c.confrelid, pa.attnum, 'select'))
    order by c.conname
  loop
    v_checks := v_checks || format($sql$insert into pg_temp.sluice_faults (
  ordinal, sqlstate, message, detail, constraint_name, column_name, is_suspect)
select r.sluice_ordinal, '23503', %L, pg_catalog.format(%L, %s), %L, %L, true
from pg_temp.sluice_rows r
where r.sluice_state is null and not r.sluice_deleted and %s
  and ($1 is null or r.sluice_ordinal = any ($1))
  and not exists (select 1 from %s p where %s)%s
on conflict (ordinal) do nothing$sql$,
      format('insert or update on table "%s" violates foreign key constraint "%s"', v_key.child, v_key.conname),
      format('Key (%s)=(%s) is not present in table "%s".', replace(v_key.names, '%', '%%'), v_key.places,
        replace(v_key.parent, '%', '%%')),
      v_key.child_columns, v_key.conname, v_key.column_name, v_key.child_present,
      v_key.confrelid::regclass, v_key.matches,
      -- The parent may arrive in the same batch if a table references itself.
      case when v_key.confrelid = p_target then format(
        ' and (%s) not in (select %s from pg_temp.sluice_rows p where p.sluice_state is null and %s)',
        v_key.child_columns, v_key.parent_columns, v_key.parent_present) else '' end);
  end loop;
  return v_checks;
end
$$;

comment on function sluice._reference_checks(oid, text[], oid[]) is
  'The statements that find records of a batch whose parents are missing.';
