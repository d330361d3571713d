create or replace function sluice._first_and_more(p_found text[])
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select p_found[1] || case when cardinality(p_found) > 1 then format(' (and %s more)', cardinality(p_found) - 1)
    else '' end
$$;

comment on function sluice._first_and_more(text[]) is
  'The first of several findings, and how many more there are; null when there is none.';
