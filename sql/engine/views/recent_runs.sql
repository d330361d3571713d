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
  select r.run_id, r.outcome, r.started_at, r.finished_at from sluice.runs r
  where r.pipeline_id = p.pipeline_id order by r.epoch desc limit 20) r
cross join lateral sluice._run_totals(r.run_id) t
order by r.run_id desc;

comment on view sluice.recent_runs is
$$The last 20 runs of each pipeline, the latest first. Without outcome: going on, or died (sluice.status tells which).
seconds: to its end, or until now.$$;

create or replace view sluice.recent_batches as
select
  b.batch_id as batch,
  p.name as pipeline,
  b.kind,
  b.version,
  date_trunc('second', b.committed_at)::timestamp as committed_at,
  b.extracted,
  b.inserted + b.updated + b.deleted as written,
  b.quarantined
from sluice.pipelines p
cross join lateral (
  select b.batch_id, b.kind, b.version, b.committed_at, b.extracted, b.inserted, b.updated, b.deleted, b.quarantined
  from sluice.batches b where b.pipeline_id = p.pipeline_id order by b.committed_at desc limit 20) b
order by b.batch_id desc;

comment on view sluice.recent_batches is
$$The last 20 batches of each pipeline, the latest first: rewinds and replays are among them. The whole ledger, with all
counters and cursors, is in sluice.batches.$$;
