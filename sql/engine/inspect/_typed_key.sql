create or replace function sluice._typed_key(p_pipeline sluice.pipelines, p_key jsonb, out target oid,
  out columns text[], out given jsonb, out row_sql text, out key jsonb, out key_hash bytea, out tombstone_hash bytea)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_example text;
  v_strange text;
begin
  columns := (sluice._latest_version(p_pipeline)).key;
  target := to_regclass(p_pipeline.target);
  if target is null then
    raise exception using errcode = 'SL005', message = format('pipeline %s: target %s does not exist',
      p_pipeline.name, p_pipeline.target),
      hint = 'the table was dropped or renamed';
  end if;
  v_example := format('{%s}', (select string_agg(format('%s: ...', to_json(k)), ', ' order by n)
    from unnest(columns) with ordinality as keys (k, n)));
  given := case when cardinality(columns) = 1 and jsonb_typeof(p_key) in ('string', 'number', 'boolean')
    then jsonb_build_object(columns[1], p_key) else p_key end;
  if jsonb_typeof(given) is distinct from 'object' then
    raise exception using errcode = 'SL005', message = format('key %s is not an object', coalesce(p_key::text, 'null')),
      hint = format('the key of pipeline %s is %s', p_pipeline.name, v_example);
  end if;
  select string_agg(format('%s is not part of it', k), ', ') into v_strange from jsonb_object_keys(given) k
    where k <> all (columns);
  v_strange := concat_ws(', ', v_strange, (select string_agg(format('%s is missing', k), ', ' order by n)
    from unnest(columns) with ordinality as keys (k, n)
    where jsonb_typeof(given -> k) is null or jsonb_typeof(given -> k) = 'null'));
  if v_strange <> '' then
    raise exception using errcode = 'SL005', message = format('%s is not a key of pipeline %s: %s', p_key,
      p_pipeline.name, v_strange),
      hint = format('the key is %s', v_example);
  end if;
  -- As the transform's columns are coerced: nothing is cut to fit.
  select format('(select %s from (select %s) r)', string_agg(format('%s as %I', c.coercion, c.column_name), ', '),
    string_agg(format('$1 operator(pg_catalog.->>) %L::pg_catalog.text as %I', c.column_name, c.column_name), ', '))
    into row_sql
  from sluice._target_columns(target, columns) c;
  begin
    select t.key, t.key_hash, t.tombstone_hash into key, key_hash, tombstone_hash
    from sluice._execute_key(target, columns, row_sql, given) t;
  exception when data_exception or integrity_constraint_violation then
    raise exception using errcode = 'SL005', message = format('%s is not a key of pipeline %s: %s', p_key,
      p_pipeline.name, sqlerrm),
      hint = format('the key is %s, of %s', v_example, p_pipeline.target);
  end;
end
$$;

comment on function sluice._typed_key(sluice.pipelines, jsonb) is
$$A key that somebody wrote, in the types of the target: as the quarantine writes it (key), in the bytes of
_key_hash and _tombstone_hash, as an object (given), and as a row (row_sql, of given as $1). SL005 when it is none.$$;

-- Apart, as the messages above are for the session as it is.
create or replace function sluice._execute_key(p_target oid, p_columns text[], p_row_sql text, p_key jsonb,
  out key jsonb, out key_hash bytea, out tombstone_hash bytea)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
begin
  execute format('select %s, %s, %s from %s k', sluice._key_json(p_columns, 'k'),
    sluice._key_hash(p_target, p_columns, 'k'), sluice._tombstone_hash(p_target, p_columns, 'k'), p_row_sql)
    into key, key_hash, tombstone_hash using p_key;
end
$$;
