create or replace function sluice.finish_run(run_id bigint, outcome text, error text default null)
returns sluice.runs
language plpgsql volatile
set search_path = ''
as $$
declare
  v_run sluice.runs;
begin
  update sluice.runs r set finished_at = clock_timestamp(), outcome = finish_run.outcome, error = finish_run.error
  where r.run_id = finish_run.run_id and r.finished_at is null;
  select * into v_run from sluice.runs r where r.run_id = finish_run.run_id;
  return v_run;
end
$$;

comment on function sluice.finish_run(bigint, text, text) is
  'Notes how a run ended: ok, failed, threshold, locked or interrupted. Correctness does not depend on it: a dead run simply has no outcome.';
