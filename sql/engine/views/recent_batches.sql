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
  select * from sluice.batches b where b.pipeline_id = p.pipeline_id order by b.batch_id desc limit 20) b
order by b.batch_id desc;

comment on view sluice.recent_batches is
$$The last 20 batches of each pipeline, the latest first: rewinds and replays are among them. The whole ledger, with all
counters and cursors, is in sluice.batches.$$;
