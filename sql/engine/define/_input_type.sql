-- A transform f(doc jsonb) takes the document of a record, f(r shop.orders_in) a row whose columns name its fields.
create or replace function sluice._input_type(p_function oid)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks several times.
begin
  return (
    select t.typrelid from pg_proc p join pg_type t on t.oid = p.proargtypes[0] and t.typtype = 'c'
    where p.oid = p_function);
end
$$;

comment on function sluice._input_type(oid) is
  'The composite type or table, as a relation, that a transform takes a record as; null if it takes the document.';

create or replace function sluice._input_columns(p_function oid)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan.
begin
  return (
    select array_agg(a.attname::text order by a.attnum) from pg_attribute a
    where a.attrelid = sluice._input_type(p_function) and a.attnum > 0 and not a.attisdropped);
end
$$;

-- A part of what a version is registered with.
create or replace function sluice._input_definition(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select string_agg(format('%I %s%s', c.column_name, c.type_name, c.collation_clause), ', ' order by c.place)
  from sluice._target_columns(sluice._input_type(p_function), sluice._input_columns(p_function))
    with ordinality as c (column_name, type_name, collation_clause, is_not_null, coercion, hash_input, place)
$$;

-- What a transform is called with, as columns of "s" made from "r", and the call. p_doc: the document as an
-- expression. probe_sql: the columns, with a place before each field.
create or replace function sluice._call_sql(
  p_function oid, p_doc text, out record_sql text, out probe_sql text, out call_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
-- plpgsql keeps the plan.
begin
  -- Under names of their own: rules of the target name its columns without an alias.
  select coalesce(string_agg(c.coercion || ' as sluice_field_' || c.place, E',\n    ' order by c.place),
      p_doc || ' as sluice_doc'),
    coalesce(string_agg('pg_catalog.nextval(''pg_temp.sluice_place'') as sluice_place_' || c.place || ', '
      || c.coercion || ' as sluice_field_' || c.place, E',\n    ' order by c.place), p_doc || ' as sluice_doc'),
    format('%I.%I(%s%s)', n.nspname, p.proname,
      coalesce('row(' || string_agg('s.sluice_field_' || c.place || c.collation_clause, ', ' order by c.place) || ')::'
        || t.typrelid::regclass::text, 's.sluice_doc'),
      case when p.pronargs > 1 then ', s.sluice_meta' else '' end)
    into record_sql, probe_sql, call_sql
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_type t on t.oid = p.proargtypes[0]
  left join sluice._target_columns(sluice._input_type(p_function), sluice._input_columns(p_function))
    with ordinality as c (column_name, type_name, collation_clause, is_not_null, coercion, hash_input, place) on true
  where p.oid = p_function
  group by n.nspname, p.proname, p.pronargs, t.typrelid;
end
$$;

-- The fields of a JSON object that an expression gives, as text: "r". Null where the transform takes the document.
create or replace function sluice._fields_of_json_sql(p_function oid, p_json text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select format('pg_catalog.json_to_record(%s::pg_catalog.json) as r (%s)', p_json,
    string_agg(format('%I pg_catalog.text', c), ', ' order by n))
  from unnest(sluice._input_columns(p_function)) with ordinality x (c, n)
  having count(*) > 0
$$;

create or replace function sluice._check_input(p_pipeline text, p_function oid, p_target text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_most    constant integer := 300; -- a row of that many texts still fits on a page
  v_input   regclass := sluice._input_type(p_function);
  v_columns text[] := sluice._input_columns(p_function);
  v_fault   text;
  v_hint    text;
begin
  if v_input is null then
    return;
  elsif v_input = to_regclass(p_target) then
    v_fault := 'is the target''s own type, which the bookkeeping columns change';
    v_hint := 'create type ..._in as (...) with the fields of a record, and let the transform take that';
  elsif (select c.relpersistence = 't' from pg_class c where c.oid = v_input) then
    v_fault := 'is temporary: no other session knows it';
    v_hint := 'create the type in a schema';
  elsif v_columns is null then
    v_fault := 'has no columns';
    v_hint := 'name the fields of a record: create type ... as (order_id text, amount text, ...)';
  elsif cardinality(v_columns) > v_most then
    v_fault := format('has %s columns, more than %s', cardinality(v_columns), v_most);
    v_hint := 'take the document instead: f(doc jsonb)';
  else
    select format('has a column %I', c) into v_fault from unnest(v_columns) c where starts_with(c, 'sluice_') limit 1;
    v_hint := 'names that begin with sluice_ are reserved: take such a field from the document, f(doc jsonb)';
  end if;
  if v_fault is not null then
    raise exception using errcode = 'SL005', hint = v_hint,
      message = format('pipeline %s: %s, which transform %s takes, %s', p_pipeline, v_input, p_function::regprocedure,
        v_fault);
  end if;
end
$$;

comment on function sluice._check_input(text, oid, text) is
  'Checks (SL005) that the type a transform takes a record as can hold fields.';
