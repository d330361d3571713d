-- A run that could not begin, for people to see: the pipeline's definition does not fit any more.
create or replace function sluice.refuse_run(pipeline text, loader text, error text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(refuse_run.pipeline);
  v_run_id   bigint;
begin
  with state as (
    update sluice.etl_state s set epoch = s.epoch + 1, updated_at = now()
    where s.pipeline_id = v_pipeline.pipeline_id returning s.epoch)
  insert into sluice.runs (pipeline_id, epoch, loader, finished_at, outcome, error)
  select v_pipeline.pipeline_id, state.epoch, refuse_run.loader, clock_timestamp(), 'failed', refuse_run.error from state
  returning run_id into v_run_id;
  return v_run_id;
end
$$;

comment on function sluice.refuse_run(text, text, text) is
$$Notes a run that start_run refused, so that the status shows it as failed with its error. loader: who tried, for
people. The caller holds the pipeline.$$;
