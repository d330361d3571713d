create or replace function sluice._reload_batch(p_pipeline sluice.pipelines, p_version integer, p_batch sluice.batches)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ledger sluice.batches;
begin
  perform sluice._open_batch(p_pipeline, p_version, null, 'replay', 'arrival_only');
  perform sluice._lock_target((select c.target from pg_temp.sluice_compiled c));
  perform sluice._stage_retained(p_pipeline.pipeline_id, p_batch.batch_id);
  insert into pg_temp.sluice_replayed (ordinal, arrived_at) select s.ordinal, a.arrived_at
  from pg_temp.sluice_staging s join sluice._batch_arrivals() a on a.batch_id = p_batch.batch_id;
  perform sluice.transform_batch(p_batch.origins);
  v_ledger := sluice._load_rows();
  v_ledger.reloads := p_batch.batch_id;
  perform sluice._write_quarantine();
  return sluice._write_ledger(v_ledger);
end
$$;

comment on function sluice._reload_batch(sluice.pipelines, integer, sluice.batches) is
  'The retained payloads of a batch once more, through the steps of any batch. They count as having arrived when that batch did.';
