create or replace function sluice._why_unreadable(p_target text, p_columns text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- By the catalog: to_regclass raises where the schema may not be used.
  select case
    when count(c.oid) = 0 then format('%s is not there', p_target)
    -- Whoever reads a view runs the code of its owner.
    when bool_or(c.relkind not in ('r', 'p')) then format('%s is not a table any more', p_target)
    when not bool_and(has_schema_privilege(n.oid, 'usage')) or bool_or(row_security_active(c.oid))
      or bool_or(not has_column_privilege(c.oid, a.attnum, 'select'))
        then format('%s may not read %s', current_user, p_target)
    when count(a.attnum) < (select count(distinct x) from unnest(p_columns) x)
      then format('%s has no column %s', p_target, (
      select string_agg(distinct quote_ident(x), ', ') from unnest(p_columns) x
        where x <> all (coalesce(array_agg(a.attname::text) filter (where a.attname is not null), '{}'))))
  end
  from (select parse_ident(p_target) as part) name
  left join (pg_class c join pg_namespace n on n.oid = c.relnamespace)
    on n.nspname = name.part[1] and c.relname = name.part[2]
  left join pg_attribute a on a.attrelid = c.oid and a.attname = any (p_columns) and a.attnum > 0
    and not a.attisdropped
$$;

comment on function sluice._why_unreadable(text, text[]) is
  'Why columns of a target, given by its qualified name, cannot be read by the current role; null when they can.';
