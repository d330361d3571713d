create or replace function sluice.why(pipeline text, key jsonb)
returns table (fact text, value text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all records
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(why.pipeline);
  v_key      record;
  v_row      record;
  v_grave    sluice.tombstones;
  v_found    record;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_key := sluice._typed_key(v_pipeline, why.key);
  execute format('select t.sluice_batch, count(*) over () as count from %s t join %s k on %s', v_key.target::regclass,
    v_key.row_sql,
    sluice._key_condition(v_key.target, v_key.columns, 't', 'k')) into v_row using v_key.given;
  select * into v_grave from sluice.tombstones d where d.target = v_pipeline.target and d.key_hash = v_key.key_hash;
  return query values ('key', v_key.key::text),
    ('row', format('%s %s%s', case when v_row.count is null then 'not in' else 'in' end, v_pipeline.target,
    case when v_row.count is not null and v_row.sluice_batch is null then ', written by no pipeline'
      when v_row.count is null and v_grave.batch_id is not null then ', deleted'
      else ', ' || sluice._changed_by_hand(v_pipeline, v_row.sluice_batch, v_key.columns, v_key.row_sql, v_key.given)
      end));

  if v_row.sluice_batch is not null or v_row.count is null and v_grave.batch_id is not null then
    return query select * from sluice._why_batch(coalesce(v_row.sluice_batch, v_grave.batch_id), v_key.given,
      v_key.columns, v_key.row_sql, v_key.key);
  end if;

  v_found := sluice._search_quarantine(v_pipeline, v_key.target, v_key.columns, v_key.row_sql, v_key.given, v_key.key);
  return query
  select 'quarantine ' || q.quarantine_id, format('%s: %s %s (%s)',
    q.status || coalesce(' by batch ' || q.resolved_batch_id, '') || coalesce(', ' || q.reason, ''), q.sqlstate,
      concat_ws(': ', q.column_name, q.message),
    concat_ws(', ', concat_ws(':', q.origin, q.position), 'version ' || q.version, 'first seen '
      || q.first_seen_at::timestamptz(0)))
  from sluice.quarantine q where q.quarantine_id = any (v_found.ids[:10]) order by q.quarantine_id desc;
  return query
  select 'quarantine', f.value from (values
    (cardinality(v_found.ids) > 10, format('and %s more', cardinality(v_found.ids) - 10)),
    (v_found.unsearched > 0, format('%s more open records made no key, so that nobody can tell whether it is theirs',
      v_found.unsearched))) f (is_so, value)
  where f.is_so;
end
$$;

comment on function sluice.why(text, jsonb) is
$$Where the row of a key comes from, fact by fact: the batch that last wrote or deleted it, its run and version, the
source, the payload where it is retained (see retain_raw), whether it was changed by hand since, and what is or was in
quarantine of the same key, as far as that can be told. key: {"order_id": 42}, every key column (SL005 otherwise), or
the value alone where there is one column. Batches that have seen the row since, unchanged, leave no trace in it.
Example: select * from sluice.why('orders', '42')$$;

-- A key that somebody wrote, in the types of the target: as the quarantine writes it (key), in the bytes of
-- _key_hash, as an object (given), and as a row (row_sql, of given as $1). SL005 when it is none.
create or replace function sluice._typed_key(p_pipeline sluice.pipelines, p_key jsonb, out target oid,
  out columns text[], out given jsonb, out row_sql text, out key jsonb, out key_hash bytea)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_example text;
  v_strange text;
begin
  select t.key into columns from sluice.transforms t where t.pipeline_id = p_pipeline.pipeline_id
    and t.version = p_pipeline.active_version;
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
    raise exception using errcode = 'SL005', message = format('%s is no key of pipeline %s: %s', p_key,
      p_pipeline.name, v_strange),
      hint = format('the key is %s', v_example);
  end if;
  -- As the transform's columns are coerced: nothing is cut to fit.
  select format('(select %s from (select %s) r)', string_agg(format('%s as %I', c.coercion, c.column_name), ', '),
    string_agg(format('$1 operator(pg_catalog.->>) %L::pg_catalog.text as %I', c.column_name, c.column_name), ', '))
    into row_sql
  from sluice._target_columns(target, columns) c;
  begin
    select t.key, t.key_hash into key, key_hash from sluice._execute_key(target, columns, row_sql, given) t;
  exception when data_exception or integrity_constraint_violation then
    raise exception using errcode = 'SL005', message = format('%s is no key of pipeline %s: %s', p_key,
      p_pipeline.name, sqlerrm),
      hint = format('the key is %s, of %s', v_example, p_pipeline.target);
  end;
end
$$;

-- Apart, as the messages above are for the session as it is.
create or replace function sluice._execute_key(p_target oid, p_columns text[], p_row_sql text, p_key jsonb,
  out key jsonb, out key_hash bytea)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
begin
  execute format('select %s, %s from %s k', sluice._key_json(p_columns, 'k'),
    sluice._key_hash(p_target, p_columns, 'k'), p_row_sql)
    into key, key_hash using p_key;
end
$$;
