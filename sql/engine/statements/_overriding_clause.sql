create or replace function sluice._overriding_clause(p_target oid, p_columns text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = p_target and a.attname = any (p_columns) and a.attidentity = 'a')
    then ' overriding system value' else '' end
$$;

comment on function sluice._overriding_clause(oid, text[]) is
  'What an insert needs to fill a column that is generated always as identity.';
