create or replace view sluice.status as
select
  p.name as pipeline,
  sluice._pipeline_state(p.pipeline_id) as state,
  p.active_version as version,
  r.run_id as run,
  date_trunc('second', r.started_at)::timestamp as started_at,
  coalesce(t.extracted, 0) as extracted,
  coalesce(t.written, 0) as written,
  (select count(*) from sluice.quarantine q where q.pipeline_id = p.pipeline_id and q.status = 'open') as bad,
  (select count(*) from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting
from sluice.pipelines p
left join lateral (
  select * from sluice.runs r where r.pipeline_id = p.pipeline_id order by r.run_id desc limit 1) r on true
left join lateral sluice._run_totals(r.run_id) t on r.run_id is not null
where p.backfill_of is null
order by p.name;

comment on view sluice.status is
$$Each pipeline with its last run. state: new, running, paused, died (no outcome and nobody holds it: run it again), or
the outcome of the last run. extracted, written: records read and rows written by that run. bad: records waiting in
quarantine. waiting: what the source offers and could not be read to its end (sluice.waiting_details). sluice.status_details has cursor and target, too; backfills are in sluice.backfills.$$;
