create or replace view sluice.recent_runs as
select
  r.run_id as run,
  p.name as pipeline,
  r.outcome,
  date_trunc('second', r.started_at)::timestamp as started_at,
  round(extract(epoch from coalesce(r.finished_at, pg_catalog.clock_timestamp()) - r.started_at)::numeric,
    1) as seconds,
  t.extracted,
  t.written,
  t.quarantined
from sluice.pipelines p
cross join lateral (
  select * from sluice.runs r where r.pipeline_id = p.pipeline_id order by r.run_id desc limit 20) r
cross join lateral sluice._run_totals(r.run_id) t
order by r.run_id desc;

comment on view sluice.recent_runs is
$$The last 20 runs of each pipeline, the latest first. Without outcome: going on, or died (sluice.status tells which).
seconds: to its end, or until now.$$;
