create or replace function sluice.finish_run(run_id bigint, outcome text, error text default null,
  reached_end boolean default false)
returns sluice.runs
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run sluice.runs;
begin
  update sluice.runs r set finished_at = clock_timestamp(), outcome = finish_run.outcome, error = finish_run.error
  where r.run_id = finish_run.run_id and r.finished_at is null;
  if finish_run.outcome = 'ok' and finish_run.reached_end then
    update sluice.pipelines p set backfill_finished_at = clock_timestamp()
    from sluice.runs r join sluice.etl_state s on s.pipeline_id = r.pipeline_id and s.epoch = r.epoch
    where r.run_id = finish_run.run_id and p.pipeline_id = r.pipeline_id and p.backfill_of is not null;
  end if;
  select * into v_run from sluice.runs r where r.run_id = finish_run.run_id;
  return v_run;
end
$$;

comment on function sluice.finish_run(bigint, text, text, boolean) is
$$Notes how a run ended: ok, failed, threshold, locked or interrupted. reached_end: the source had nothing more, by
which a backfill is finished. Correctness does not depend on it: a dead run simply has no outcome.$$;
