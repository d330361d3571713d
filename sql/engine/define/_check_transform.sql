create or replace function sluice._check_transform(p_pipeline text, p_function oid, p_target text, p_key text[],
  p_order_by text, p_search_path text)
returns text[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
declare
  v_columns text[];
  v_column  record;
  v_target  oid;
  v_call    text;
begin
  perform sluice._check_input(p_pipeline, p_function, p_target);
  -- Behind "offset 0" the planner does not take the record for a constant; else it would compute immutable parts of
  -- the transform, and raise what they raise.
  select format(
      '(select %s, null::pg_catalog.jsonb as sluice_meta from (select %s) r offset 0) s cross join lateral %s',
      c.record_sql, coalesce((select string_agg(format('null::pg_catalog.text as %I', i), ', ')
        from unnest(sluice._input_columns(p_function)) i), ''), c.call_sql) into v_call
  from sluice._call_sql(p_function, 'null::pg_catalog.jsonb') c;
  select array_agg(c.column_name order by c.ordinal) filter (where c.column_name not in ('sluice_reject',
    'sluice_deleted')) into v_columns
  from sluice._transform_columns(p_function) c;
  if v_columns is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s returns no columns', p_pipeline, p_function::regprocedure),
      hint = 'declare it "returns table (column type, ...)" with names of target columns';
  end if;
  if (select p.prorettype = c.reltype from pg_proc p, pg_class c where p.oid = p_function
    and c.oid = to_regclass(p_target)) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s returns rows of the target''s own type, which the '
        'bookkeeping columns change', p_pipeline, p_function::regprocedure),
      hint = 'declare it "returns table (column type, ...)" with the columns it fills';
  end if;
  for v_column in select * from sluice._transform_columns(p_function) loop
    if starts_with(v_column.column_name, 'sluice_') and (v_column.column_name, v_column.type_oid)
        not in (('sluice_reject', 'text'::regtype), ('sluice_deleted', 'boolean'::regtype)) then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: the transform returns %s %s', p_pipeline, v_column.column_name,
          v_column.type_oid::regtype),
        hint = 'names that begin with sluice_ are reserved: sluice_reject text, sluice_deleted boolean';
    end if;
  end loop;
  v_target := sluice._check_target(p_pipeline, p_target, p_key, p_order_by, v_columns);
  if exists (select from sluice._transform_columns(p_function) c where c.column_name = 'sluice_deleted') then
    -- What was deleted is remembered by its key, so that no older record brings it back.
    perform sluice._refuse_unstable_key(p_pipeline, 'sluice_deleted', v_target, p_key);
  end if;

  -- Postgres itself judges the types, column by column, by planning an insert.
  for v_column in select * from sluice._transform_columns(p_function) c where c.column_name = any (v_columns) loop
    begin
      perform set_config('search_path', p_search_path, true); -- as the transform will see it
      execute format('explain insert into %s (%I) overriding system value select r.%2$I from %3$s r', p_target,
        v_column.column_name, v_call);
      perform set_config('search_path', 'pg_catalog, pg_temp', true);
    exception
      when datatype_mismatch or cannot_coerce then
        raise exception using errcode = 'SL005',
          message = format('pipeline %s: %s', p_pipeline, sqlerrm),
          hint = format('cast it in the transform: (...)::%s', (
            select format_type(a.atttypid, a.atttypmod) from pg_attribute a where a.attrelid = v_target
              and a.attname = v_column.column_name));
    end;
  end loop;

  if p_order_by is not null then
    begin
      execute format('explain select from %s order by %I', p_target, p_order_by);
    exception when undefined_function then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: order_by column %I cannot tell newer from older: %s', p_pipeline, p_order_by,
          sqlerrm),
        hint = 'order_by is a column of a type with an order, such as timestamptz or bigint';
    end;
  end if;

  if (select provolatile = 'v' and prolang = (select oid from pg_language where lanname = 'sql')
    from pg_proc where oid = p_function) then
    raise notice 'pipeline %: transform % is volatile; declare it stable, and Postgres can inline it and load faster',
      p_pipeline, p_function::regprocedure;
  end if;
  return v_columns;
end
$$;

comment on function sluice._check_transform(text, oid, text, text[], text, text) is
  'Checks (SL005) that a transform returns columns of the target, of types that can be assigned; returns their names.';

-- The columns a function returns: from "returns table", out parameters, or "returns setof some_table". None for
-- anything else.
create or replace function sluice._transform_columns(p_function oid)
returns table (ordinal integer, column_name text, type_oid oid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
-- plpgsql keeps the plan.
begin
  return query
  with f as (
    select p.*, t.typrelid, t.typtype
    from pg_proc p join pg_type t on t.oid = p.prorettype
    where p.oid = p_function)
  select row_number() over (order by o.n)::integer, o.name, o.type
  from f, unnest(f.proargmodes, f.proargnames, f.proallargtypes) with ordinality as o (mode, name, type, n)
  where o.mode in ('t', 'o')
  union all
  select row_number() over (order by a.attnum)::integer, a.attname::text, a.atttypid
  from f join pg_attribute a
    on a.attrelid = f.typrelid and a.attnum > 0 and not a.attisdropped
  where f.typtype = 'c' and f.proretset;
end
$$;
