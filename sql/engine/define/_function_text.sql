create or replace function sluice._function_text(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select pg_get_functiondef(p_function)
$$;

comment on function sluice._function_text(oid) is
  'The text a transform version is registered with and compared to.';

-- A replaced function is noticed by this; null if there is no such function.
create or replace function sluice._function_sha256(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(sluice._function_text(p_function), 'UTF8')), 'hex')
$$;

-- The same for a transform: its function, and the type of the row that it takes.
create or replace function sluice._transform_sha256(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(
    sluice._function_text(p_function) || coalesce(E'\n' || sluice._input_definition(p_function), ''), 'UTF8')), 'hex')
$$;

-- The function of that name and arguments; null if it is gone, or a type that it took.
create or replace function sluice._find_function(p_function text)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return to_regprocedure(p_function);
exception when undefined_object or invalid_schema_name then
  return null;
end
$$;

-- A function's name with schema and argument types, as _find_function reads it under any search_path.
create or replace function sluice._qualified_function(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select p_function::regprocedure::text
$$;
