create or replace view sluice.target_books as
select
  p.name as pipeline,
  b.batch_id as batch,
  b.kind,
  t.target,
  t.produced,
  t.inserted,
  t.updated,
  t.deleted,
  t.unchanged,
  t.stale,
  t.superseded
from sluice.batches b
join sluice.pipelines p using (pipeline_id)
cross join lateral (
  select p.target, b.produced, b.inserted, b.updated, b.deleted, b.unchanged, b.stale, b.superseded
  where b.targets is null
  union all
  select *
  from jsonb_to_recordset(b.targets) as x (target text, produced bigint, inserted bigint, updated bigint,
    deleted bigint, unchanged bigint, stale bigint, superseded bigint)) t;

comment on view sluice.target_books is
$$The rows of each batch, by target: one line where the pipeline has one, else one for each, of which the ledger
(sluice.batches) has the sums.$$;
