create or replace function sluice._key_json(p_key text[], p_alias text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('pg_catalog.jsonb_build_object(%s)', string_agg(format('%L, %s.%I', k, p_alias, k), ', ' order by n))
  from unnest(p_key) with ordinality as keys (k, n)
$$;

comment on function sluice._key_json(text[], text) is
  'The expression for the key of a row, given by its alias, as people read it: {"order_id": 42}.';
