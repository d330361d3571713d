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

-- By which a replaced transform is noticed; null when there is no such function.
create or replace function sluice._function_sha256(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(sluice._function_text(p_function), 'UTF8')), 'hex')
$$;

-- A function's name with schema and argument types, as to_regprocedure reads it under any search_path.
create or replace function sluice._qualified_function(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select p_function::regprocedure::text
$$;
