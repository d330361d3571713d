create or replace function sluice.enqueue_deliveries(pipeline text, target text default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_delivering(enqueue_deliveries.pipeline, enqueue_deliveries.target);
  v_target   regclass := v_pipeline.target;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  perform sluice._refuse_hidden_rows(v_pipeline.name, v_target);
  -- No batch changes a row meanwhile, or an older content could be noted behind a newer one.
  perform sluice._hold_batches(v_pipeline.pipeline_id);
  return sluice._note_rows(v_pipeline, v_target, (sluice._latest_version(v_pipeline)).key, 'upsert',
    format('%s t where %s', v_target, sluice._is_own_sql(v_pipeline.pipeline_id)), nextval('sluice.batch_id'));
end
$$;

comment on function sluice.enqueue_deliveries(text, text) is
$$Notes a delivery of every row in the target that the pipeline has loaded, in the order of its key, and returns how
many: to fill a new endpoint, or to send everything again (sluice deliver --all-rows). Each has a new idempotency key.
target: a further one whose rows are delivered; the first unless given.$$;
