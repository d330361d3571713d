create or replace function sluice._key_condition(p_target oid, p_key text[], p_left text, p_right text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('%s.%I %s %s.%2$I', p_left, k, sluice._operator(p_target, k, 3), p_right), ' and '
    order by n)
  from unnest(p_key) with ordinality as keys (k, n)
$$;

comment on function sluice._key_condition(oid, text[], text, text) is
  'Whether two rows, given by their aliases, have the same key.';
