create or replace function sluice._transform_columns(p_function oid)
returns table (ordinal integer, column_name text, type_oid oid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with f as (
    select p.*, t.typrelid, t.typtype
    from pg_catalog.pg_proc p join pg_catalog.pg_type t on t.oid = p.prorettype
    where p.oid = p_function)
  select row_number() over (order by o.n)::integer, o.name, o.type
  from f, unnest(f.proargmodes, f.proargnames, f.proallargtypes) with ordinality as o (mode, name, type, n)
  where o.mode in ('t', 'o')
  union all
  select row_number() over (order by a.attnum)::integer, a.attname::text, a.atttypid
  from f join pg_catalog.pg_attribute a
    on a.attrelid = f.typrelid and a.attnum > 0 and not a.attisdropped
  where f.typtype = 'c' and f.proretset
$$;

comment on function sluice._transform_columns(oid) is
$$The columns a function returns: of "returns table", of out parameters, or of "returns setof some_table". None for
anything else.$$;
