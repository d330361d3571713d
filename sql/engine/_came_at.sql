create or replace function sluice._came_at(p_batch sluice.batches)
returns timestamptz
language sql stable
set search_path = ''
as $$
  select p_batch.committed_at - case when exists (
    select from sluice.pipelines p where p.pipeline_id = p_batch.pipeline_id and p.backfill_of is not null)
    then interval '1000 years' else interval '0' end
$$;

comment on function sluice._came_at(sluice.batches) is
  'When the records of a batch count as having arrived: at its commit; but what a backfill reads is of the past, and came before everything the pipeline itself has read.';
