create or replace function sluice._check_transform(p_pipeline text, p_function oid, p_target text, p_key text[], p_order_by text)
returns text[]
language plpgsql volatile
set search_path = ''
as $$
declare
  v_columns text[];
  v_column  record;
  v_target  oid;
  v_call    text := format('%s(%s)', substr(p_function::pg_catalog.regprocedure::text, 1, strpos(p_function::pg_catalog.regprocedure::text, '(') - 1),
    case (select pronargs from pg_catalog.pg_proc where oid = p_function) when 1 then 'null::pg_catalog.jsonb' else 'null::pg_catalog.jsonb, null::pg_catalog.jsonb' end);
begin
  select array_agg(c.column_name order by c.ordinal) filter (where c.column_name not in ('sluice_reject', 'sluice_deleted')) into v_columns
  from sluice._transform_columns(p_function) c;
  if v_columns is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s returns no columns', p_pipeline, p_function::pg_catalog.regprocedure),
      hint = 'declare it "returns table (column type, ...)" with names of target columns';
  end if;
  for v_column in select * from sluice._transform_columns(p_function) loop
    if v_column.column_name like 'sluice\_%' and (v_column.column_name, v_column.type_oid)
        not in (('sluice_reject', 'text'::regtype), ('sluice_deleted', 'boolean'::regtype)) then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: the transform returns %s %s', p_pipeline, v_column.column_name, v_column.type_oid::pg_catalog.regtype),
        hint = 'names that begin with sluice_ are reserved: sluice_reject text, sluice_deleted boolean';
    end if;
  end loop;
  v_target := sluice._check_target(p_pipeline, p_target, p_key, p_order_by, v_columns);

  -- Postgres itself judges the types, column by column, by planning an insert.
  for v_column in select * from sluice._transform_columns(p_function) c where c.column_name = any (v_columns) loop
    begin
      execute format('explain insert into %s (%I) overriding system value select r.%2$I from %3$s r', p_target, v_column.column_name, v_call);
    exception
      when datatype_mismatch or cannot_coerce then
        raise exception using errcode = 'SL005',
          message = format('pipeline %s: %s', p_pipeline, sqlerrm),
          hint = format('cast it in the transform: (...)::%s', (
            select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a where a.attrelid = v_target and a.attname = v_column.column_name));
    end;
  end loop;

  if (select provolatile = 'v' and prolang = (select oid from pg_catalog.pg_language where lanname = 'sql') from pg_catalog.pg_proc where oid = p_function) then
    raise notice 'pipeline %: transform % is volatile; declare it stable, and Postgres can inline it and load faster', p_pipeline, p_function::pg_catalog.regprocedure;
  end if;
  return v_columns;
end
$$;

comment on function sluice._check_transform(text, oid, text, text[], text) is
  'Checks (SL005) that a transform returns columns of the target, of types that can be assigned; returns their names.';
