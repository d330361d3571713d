create or replace function sluice.batch_outcome(run_id bigint, epoch bigint, batch_seq bigint)
returns setof sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline_id integer := (select r.pipeline_id from sluice.runs r where r.run_id = batch_outcome.run_id);
  v_epoch       bigint;
begin
  -- Shows evict_loader this session, should it be cut off with the state locked.
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline_id);
  -- A run that was deposed has nothing to wait for.
  select s.epoch into v_epoch from sluice.etl_state s where s.pipeline_id = v_pipeline_id;
  if v_epoch = batch_outcome.epoch then
    -- Waits for a session of ours that may still be committing; one that was cut off without
    -- the server's knowledge would keep the lock for ever.
    perform set_config('lock_timeout', '2s', true);
    select s.epoch into v_epoch from sluice.etl_state s where s.pipeline_id = v_pipeline_id for update;
  end if;
  perform sluice._refuse_deposed(v_pipeline_id, batch_outcome.epoch, v_epoch);
  return query select * from sluice.batches b
  where b.pipeline_id = v_pipeline_id and b.batch_seq = batch_outcome.batch_seq and b.run_id = batch_outcome.run_id;
end
$$;

comment on function sluice.batch_outcome(bigint, bigint, bigint) is
$$After a lost answer: the ledger row of that batch when it was committed, no row when it was not. SL001 when the run
was deposed; 55P03 when another session has held the state for 2 seconds (see evict_loader).$$;
