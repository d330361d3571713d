create or replace function sluice._came_at(p_batch sluice.batches)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select o.committed_at - case when p.backfill_of is not null then interval '1000 years' else interval '0' end
  from sluice.batches o join sluice.pipelines p using (pipeline_id)
  where o.batch_id = coalesce(p_batch.reloads, p_batch.batch_id)
$$;

comment on function sluice._came_at(sluice.batches) is
  'When the records of a batch count as having arrived: at its commit, those of a reload at the commit of the batch they were first in; but what a backfill reads is of the past, and came before everything the pipeline itself has read.';
