create or replace view sluice.status_details as
select
  p.name as pipeline,
  sluice._pipeline_state(p.pipeline_id) as state,
  p.active_version as version,
  p.target,
  r.run_id as run,
  r.started_at,
  r.finished_at,
  s.batch_seq as batches,
  coalesce(t.extracted, 0) as extracted,
  coalesce(t.written, 0) as written,
  coalesce(t.quarantined, 0) as quarantined,
  (select count(*) from sluice.quarantine q where q.pipeline_id = p.pipeline_id
    and q.status = 'open') as open_quarantine,
  s.cursor,
  (select count(*) from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting,
  (select jsonb_agg(jsonb_build_object('name', w.name, 'reason', w.reason, 'since', w.since) order by w.name)
   from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting_for,
  r.error
from sluice.pipelines p
join sluice.etl_state s using (pipeline_id)
left join lateral (
  select * from sluice.runs r where r.pipeline_id = p.pipeline_id order by r.run_id desc limit 1) r on true
left join lateral sluice._run_totals(r.run_id) t on r.run_id is not null
where p.backfill_of is null
order by p.name;

comment on view sluice.status_details is
$$Each pipeline with its last run. state: new, running, paused, died (no outcome and nobody holds it: run it again), or
the outcome of the last run. extracted, written, quarantined: of that run; error: why it ended early.
waiting: what the source offers and could not be read to its end. Backfills are in sluice.backfills.$$;
