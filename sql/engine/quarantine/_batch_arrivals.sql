-- When the records of a batch count as having arrived: at its commit, those of a reload at the commit of the
-- batch they were first in; but what a backfill reads is of the past, and came before everything the pipeline
-- itself has read. Without settings of its own: it becomes part of the query that joins it.
create or replace function sluice._batch_arrivals()
returns table (batch_id bigint, read_by integer, arrived_at timestamptz)
language sql stable
as $$
  select b.batch_id, o.pipeline_id,
    o.committed_at - pg_catalog.make_interval(case when p.backfill_of is null then 0 else 1000 end)
  from sluice.batches b
  join sluice.batches o on o.batch_id = coalesce(b.reloads, b.batch_id)
  join sluice.pipelines p on p.pipeline_id = o.pipeline_id
$$;

comment on function sluice._batch_arrivals() is
  'For each batch: the pipeline or backfill that read its records, and when they count as having arrived.';
