create or replace view sluice.erasures as
select
  p.name as pipeline,
  b.batch_id as batch,
  b.committed_at as erased_at,
  b.recorded_by as erased_by,
  b.note as reason,
  b.erased as places
from sluice.batches b
join sluice.pipelines p using (pipeline_id)
where b.kind = 'erase'
order by b.batch_id;

comment on view sluice.erasures is
$$What was erased of persons (sluice.erase): when, by whom, why, and how much in which place; whose it was is kept
nowhere. {}: a stop was lifted.$$;
