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
  v_piece    bytea;
  v_ids      bigint[];
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_key := sluice._typed_key(v_pipeline, why.key);
  execute format('select t.sluice_batch, count(*) over () as count from %s t join %s k on %s', v_key.target::regclass,
    v_key.row_sql,
    sluice._key_condition(v_key.target, v_key.columns, 't', 'k')) into v_row using why.key;
  select * into v_grave from sluice.tombstones d where d.target = v_pipeline.target and d.key_hash = v_key.key_hash;
  return query values ('key', v_key.key::text),
    ('row', format('%s %s%s', case when v_row.count is null then 'not in' else 'in' end, v_pipeline.target,
    case when v_row.count is not null and v_row.sluice_batch is null then ', written by no pipeline'
      when v_row.count is null and v_grave.batch_id is not null then ', deleted' else '' end));

  if v_row.sluice_batch is not null or v_row.count is null and v_grave.batch_id is not null then
    return query select * from sluice._why_batch(coalesce(v_row.sluice_batch, v_grave.batch_id), why.key,
      v_key.columns, v_key.row_sql, v_key.key);
  end if;

  -- Where nobody knows which key a record would have made, its payload is looked at for it: first for a piece of the
  -- key that stands there in any spelling, as most payloads are not worth parsing.
  v_piece := (
    select convert_to(m[1], 'UTF8')
    from jsonb_each_text(v_key.key) k cross join regexp_matches(k.value, '[A-Za-z0-9 .:+_-]+', 'g') m
    order by length(m[1]) desc limit 1);
  v_ids := array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = v_pipeline.pipeline_id and q.keys @> jsonb_build_array(v_key.key)
    union
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = v_pipeline.pipeline_id
      and (q.keys is null and coalesce(position(v_piece in q.payload) > 0, true)
          and sluice._payload_has_key(q.payload, v_key.key)
        or q.original_payload is not null and sluice._payload_has_key(q.original_payload, v_key.key))
    order by 1 desc);
  return query
  select 'quarantine ' || q.quarantine_id, format('%s: %s %s (%s)',
    q.status || coalesce(' by batch ' || q.resolved_batch_id, '') || coalesce(', ' || q.reason, ''), q.sqlstate,
      concat_ws(': ', q.column_name, q.message),
    concat_ws(', ', concat_ws(':', q.origin, q.position), 'version ' || q.version, 'first seen '
      || q.first_seen_at::timestamptz(0)))
  from sluice.quarantine q where q.quarantine_id = any (v_ids[:10]) order by q.quarantine_id desc;
  if cardinality(v_ids) > 10 then
    return query values ('quarantine', format('and %s more', cardinality(v_ids) - 10));
  end if;
end
$$;

comment on function sluice.why(text, jsonb) is
$$Where the row of a key comes from, fact by fact: the batch that last wrote or deleted it, its run and version, the
source, the payload where it is retained (see retain_raw), and what is or was in quarantine of the same key. key:
{"order_id": 42}, every key column (SL005 otherwise). Batches that have seen the row since, unchanged, leave no
trace in it. Example: select * from sluice.why('orders', '{"order_id": 42}')$$;

-- Whether a payload is a document whose fields of these names have these values.
create or replace function sluice._payload_has_key(p_payload bytea, p_key jsonb)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_doc jsonb;
begin
  v_doc := convert_from(p_payload, 'UTF8')::jsonb;
  return not exists (select from jsonb_each_text(p_key) k where v_doc ->> k.key is distinct from k.value);
exception when data_exception or program_limit_exceeded then
  return false; -- no text, or no JSON
end
$$;

-- A key that somebody wrote, in the types of the target: as the quarantine writes it (key), in the bytes of
-- _key_hash, and as a row (row_sql, of the key as $1). SL005 when it is none.
create or replace function sluice._typed_key(p_pipeline sluice.pipelines, p_key jsonb, out target oid,
  out columns text[], out row_sql text, out key jsonb, out key_hash bytea)
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
  if jsonb_typeof(p_key) is distinct from 'object' then
    raise exception using errcode = 'SL005', message = format('key %s is not an object', coalesce(p_key::text, 'null')),
      hint = format('the key of pipeline %s is %s', p_pipeline.name, v_example);
  end if;
  select string_agg(format('%s is not part of it', k), ', ') into v_strange from jsonb_object_keys(p_key) k
    where k <> all (columns);
  v_strange := concat_ws(', ', v_strange, (select string_agg(format('%s is missing', k), ', ' order by n)
    from unnest(columns) with ordinality as keys (k, n)
    where jsonb_typeof(p_key -> k) is null or jsonb_typeof(p_key -> k) = 'null'));
  if v_strange <> '' then
    raise exception using errcode = 'SL005', message = format('%s is no key of pipeline %s: %s', p_key,
      p_pipeline.name, v_strange),
      hint = format('the key is %s', v_example);
  end if;
  -- As the transform's columns are coerced: nothing is cut to fit.
  select format('(select %s from (select %s) r)', string_agg(format('%s as %I', c.coercion, c.column_name), ', '),
    string_agg(format('$1 ->> %L as %I', c.column_name, c.column_name), ', ')) into row_sql
  from sluice._target_columns(target, columns) c;
  begin
    select t.key, t.key_hash into key, key_hash from sluice._execute_key(target, columns, row_sql, p_key) t;
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
