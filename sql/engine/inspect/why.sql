create or replace function sluice.why(pipeline text, key jsonb)
returns table (fact text, value text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(why.pipeline);
  v_key      record;
  v_row      record;
  v_grave    sluice.tombstones;
  v_ids      bigint[];
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_key := sluice._typed_key(v_pipeline, why.key);
  execute format('select t.sluice_batch, count(*) over () as count from %s t join %s k on %s', v_key.target::regclass, v_key.row_sql,
    sluice._key_condition(v_key.target, v_key.columns, 't', 'k')) into v_row using why.key;
  select * into v_grave from sluice.tombstones d where d.target = v_pipeline.target and d.key_hash = v_key.key_hash;
  return query values ('key', v_key.key::text), ('row', format('%s %s%s', case when v_row.count is null then 'not in' else 'in' end, v_pipeline.target,
    case when v_row.count is not null and v_row.sluice_batch is null then ', written by no pipeline' when v_row.count is null and v_grave.batch_id is not null then ', deleted' else '' end));

  if v_row.sluice_batch is not null or v_row.count is null and v_grave.batch_id is not null then
    return query select * from sluice._why_batch(coalesce(v_row.sluice_batch, v_grave.batch_id), why.key, v_key.columns, v_key.row_sql, v_key.key);
  end if;

  v_ids := array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = v_pipeline.pipeline_id
      and (q.keys @> jsonb_build_array(v_key.key) or sluice._payload_has_key(q.payload, v_key.key) or sluice._payload_has_key(q.original_payload, v_key.key))
    order by q.quarantine_id desc);
  return query
  select 'quarantine ' || q.quarantine_id, format('%s: %s %s (%s)',
    q.status || coalesce(' by batch ' || q.resolved_batch_id, '') || coalesce(', ' || q.reason, ''), q.sqlstate, concat_ws(': ', q.column_name, q.message),
    concat_ws(', ', concat_ws(':', q.origin, q.position), 'version ' || q.version, 'first seen ' || q.first_seen_at::timestamptz(0)))
  from sluice.quarantine q where q.quarantine_id = any (v_ids[:10]) order by q.quarantine_id desc;
  if cardinality(v_ids) > 10 then
    return query values ('quarantine', format('and %s more', cardinality(v_ids) - 10));
  end if;
end
$$;

comment on function sluice.why(text, jsonb) is
  'Where the row of a key comes from, fact by fact: the batch that last wrote or deleted it, its run and version, the source, the payload where it is retained (see retain_raw), and what is or was in quarantine of the same key. key: {"order_id": 42}, every key column (SL005 otherwise). Batches that have seen the row since, unchanged, leave no trace in it. Example: select * from sluice.why(''orders'', ''{"order_id": 42}'')';
