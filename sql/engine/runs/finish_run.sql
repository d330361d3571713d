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
$$Notes how a run ended: ok, failed, threshold, locked or interrupted. reached_end: the source had nothing more; a
backfill is finished by that. Correctness does not depend on it: a run that died simply has no outcome.$$;

-- What a run could not read to its end is what waits from now on: [{"name", "reason", "on_purpose"}, ...].
create or replace function sluice.note_waiting(run_id bigint, waiting jsonb)
returns table (name text, reason text, since timestamptz, is_overdue boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
begin
  select p.* into v_pipeline
  from sluice.runs r
  join sluice.pipelines p using (pipeline_id)
  join sluice.etl_state s on s.pipeline_id = r.pipeline_id and s.epoch = r.epoch
  where r.run_id = note_waiting.run_id;
  if not found then
    return; -- deposed: what waits is for its successor to say
  end if;
  delete from sluice.waiting w
  where w.pipeline_id = v_pipeline.pipeline_id
    and not exists (select from jsonb_array_elements(note_waiting.waiting) n where n ->> 'name' = w.name);
  insert into sluice.waiting as w (pipeline_id, name, reason, on_purpose)
  select distinct on (n ->> 'name') v_pipeline.pipeline_id, n ->> 'name', n ->> 'reason', (n ->> 'on_purpose')::boolean
  from jsonb_array_elements(note_waiting.waiting) n
  order by n ->> 'name'
  -- For another reason it waits anew: a file that grows is being written.
  on conflict on constraint waiting_pkey do update
  set reason = excluded.reason, on_purpose = excluded.on_purpose,
    since = case when w.reason = excluded.reason then w.since else excluded.since end;
  return query
  select d.name, d.reason, d.since, d.is_overdue from sluice.waiting_details d
  where d.pipeline = v_pipeline.name order by d.name;
end
$$;

comment on function sluice.note_waiting(bigint, jsonb) is
$$Notes what a run could not read to its end, in place of what an earlier run noted. waiting: [{"name": ..., "reason":
...}, ...]. Says since when each waits, and whether that is longer than settle_seconds (2 where the source has no such
setting): the loader ends with exit code 5 then. Correctness does not depend on it.$$;
