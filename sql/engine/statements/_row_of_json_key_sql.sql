create or replace function sluice._row_of_json_key_sql(p_target oid, p_key text[], p_value text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('pg_catalog.jsonb_to_record(%s) as k (%s) join %s t on %s', p_value,
    string_agg(format('%I %s', c.column_name, c.type_name), ', '), p_target::regclass,
      sluice._key_condition(p_target, p_key, 't', 'k'))
  from sluice._target_columns(p_target, p_key) c
$$;

comment on function sluice._row_of_json_key_sql(oid, text[], text) is
  'The from item that finds the row "t" of a target by its key as people read it (sluice._key_json).';
