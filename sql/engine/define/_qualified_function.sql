create or replace function sluice._qualified_function(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select p_function::pg_catalog.regprocedure::text
$$;

comment on function sluice._qualified_function(oid) is
  'A function''s name with schema and argument types, as to_regprocedure reads it under any search_path.';
