create or replace function sluice._function_text(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select pg_catalog.pg_get_functiondef(p_function)
$$;

comment on function sluice._function_text(oid) is
  'The text a transform version is registered with and compared to.';
