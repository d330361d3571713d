create or replace function sluice.enqueue_deliveries(pipeline text, target text default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_delivering(enqueue_deliveries.pipeline, enqueue_deliveries.target);
  v_route    integer := sluice._route(v_pipeline);
  v_target   oid := to_regclass(v_pipeline.target);
  v_key      text[] := (sluice._delivered_version(v_pipeline)).key;
  v_noted    record;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  -- No batch changes a row meanwhile, or an older content could be noted behind a newer one.
  perform sluice._hold_batches(v_pipeline.pipeline_id);
  -- Without parameters and functions of the engine: the rows may stand on other servers.
  execute format($sql$with found as materialized (
  select %s as key, %s as key_hash, coalesce(t.sluice_hash, '') as hash,
    row_number() over (order by %s) as place
  from %s t where t.sluice_batch in (
    select b.batch_id from sluice.batches b where b.pipeline_id = any (%5$L)
    union all select b.batch_id from sluice.pruned_batches b where b.pipeline_id = any (%5$L))),
noted as (
  insert into sluice.outbox (pipeline_id, route, key, key_hash, operation, hash, batch_id)
  select %6$s, %8$s, f.key, f.key_hash, 'upsert', f.hash, %7$s from found f order by f.place
  returning delivery_id)
select count(*) as count, min(delivery_id) as first_id from noted$sql$,
      sluice._key_json(v_key, 't'), sluice._key_hash(v_target, v_key, 't'),
      (select string_agg(format('t.%I', k), ', ' order by n) from unnest(v_key) with ordinality as keys (k, n)),
      v_target::regclass, sluice._with_backfills(v_pipeline.pipeline_id), v_pipeline.pipeline_id,
      nextval('sluice.batch_id'), v_route)
    into v_noted;
  perform sluice._supersede_deliveries(v_pipeline.pipeline_id, v_route, v_noted.first_id, v_noted.count);
  return v_noted.count;
end
$$;

comment on function sluice.enqueue_deliveries(text, text) is
$$Notes a delivery of every row that the pipeline has loaded and that is in its target, in the order of its key, and
says how many: to fill an endpoint that is new, or to send everything once more (sluice deliver --all-rows). Each has a
new idempotency key. target: a further one whose rows are delivered; its first unless given.$$;
