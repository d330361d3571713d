create or replace function sluice._row_rules(p_target oid, p_columns text[], p_key text[], p_has_deleted boolean)
returns table (rule integer, condition text, sqlstate text, constraint_name text, column_name text, message text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
-- plpgsql keeps the plan; a compilation asks several times.
begin
  -- Rules that can be checked without looking at another row, in the order Postgres would complain. A row that
  -- deletes needs nothing but its key.
  return query
  with target as (
    select c.oid, c.relname from pg_class c where c.oid = p_target
  ), rules as (
    select 1 as part, a.attnum::integer as place,
      format('t.%I is null', a.attname)
        || case when p_has_deleted and a.attname <> all (p_key) then ' and t.sluice_deleted is not true' else '' end
        as condition,
      '23502' as sqlstate, null::text as constraint_name, a.attname::text as column_name,
      format('null value in column "%s" of relation "%s" violates not-null constraint', a.attname,
        target.relname) as message
    from target join pg_attribute a
      on a.attrelid = target.oid and a.attnotnull and a.attname = any (p_columns) and not a.attisdropped
    union all
    select 2, row_number() over (order by c.conname)::integer,
      format('%s(%s) is false', case when p_has_deleted then 't.sluice_deleted is not true and ' else '' end,
        pg_get_expr(c.conbin, c.conrelid)),
      '23514', c.conname::text,
      case when cardinality(c.conkey) = 1 then (
        select a.attname::text from pg_attribute a where a.attrelid = c.conrelid
          and a.attnum = c.conkey[1]) end,
      format('new row for relation "%s" violates check constraint "%s"', target.relname, c.conname)
    from target join pg_constraint c on c.conrelid = target.oid and c.contype = 'c'
      and to_jsonb(c) ->> 'conenforced' is distinct from 'false' -- PostgreSQL 18
    where cardinality(c.conkey) > 0 and not exists (
      select from unnest(c.conkey) k
      left join pg_attribute a on a.attrelid = target.oid and a.attnum = k
      where k <= 0 or a.attname <> all (p_columns))
  )
  select row_number() over (order by part, place)::integer, condition, sqlstate, constraint_name, column_name, message
  from rules;
end
$$;

comment on function sluice._row_rules(oid, text[], text[], boolean) is
$$The target's not null and check constraints over columns the transform returns, as conditions on a row t that is bad
when one is true. Others are left to the merge.$$;
