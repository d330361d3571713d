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

-- The expression for an object of any number of members, in their order: json_build_object takes 50.
create or replace function sluice._object_sql(p_names text[], p_values text[])
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('(select pg_catalog.json_object_agg(c.name, c.value order by c.place)
    from (values %s) c (place, name, value))',
    string_agg(format('(%s, %L, pg_catalog.to_json(%s))', n, p_names[n], p_values[n]), ', ' order by n))
  from generate_subscripts(p_names, 1) n
$$;

-- The from item that finds the row "t" of a target by its key as people read it (sluice._key_json).
create or replace function sluice._row_of_json_key_sql(p_target oid, p_key text[], p_value text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('pg_catalog.jsonb_to_record(%s) as k (%s) join %s t on %s', p_value,
    string_agg(format('%I %s', c.column_name, c.type_name), ', '), sluice._met(p_target),
      sluice._key_condition(p_target, p_key, 't', 'k'))
  from sluice._target_columns(p_target, p_key) c
$$;

-- The keys of the rows that each record of the open batch made of the first target, loaded or not; p_is_faulty: only of
-- records that are not loaded.
create or replace function sluice._record_keys(p_is_faulty boolean)
returns table (ordinal integer, keys jsonb)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_key  text[];
  v_rows regclass;
begin
  select c.key, c.rows_table into v_key, v_rows from pg_temp.sluice_compiled c;
  return query execute format($sql$select s.sluice_ordinal, jsonb_agg(%s order by s.sluice_line)
from %s s where (not $1 or s.sluice_state = 'f') and %s group by s.sluice_ordinal$sql$,
    sluice._key_json(v_key, 's'), v_rows,
    (select string_agg(format('s.%I is not null', k), ' and ') from unnest(v_key) k))
      using p_is_faulty;
end
$$;
