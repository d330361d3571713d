create or replace view sluice.status as
select
  p.name as pipeline,
  case
    when p.is_paused then 'paused'
    when r.run_id is null then 'new'
    when r.outcome is not null then r.outcome
    when exists (
      select from pg_catalog.pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
        and l.classid = sluice._lock_class('guard')::bigint and l.objid = p.pipeline_id::bigint) then 'running'
    else 'died'
  end as state,
  p.active_version as version,
  p.target,
  r.run_id as run,
  r.started_at,
  r.finished_at,
  s.batch_seq as batches,
  coalesce(r.extracted, 0) as extracted,
  coalesce(r.inserted + r.updated + r.deleted, 0) as written,
  coalesce(r.quarantined, 0) as quarantined,
  (select count(*) from sluice.quarantine q where q.pipeline_id = p.pipeline_id and q.status = 'open') as open_quarantine,
  s.cursor
from sluice.pipelines p
join sluice.etl_state s using (pipeline_id)
left join lateral (
  select * from sluice.runs r where r.pipeline_id = p.pipeline_id order by r.run_id desc limit 1) r on true
order by p.name;

comment on view sluice.status is
  'Each pipeline with its last run. state: new, running, paused, died (no outcome and nobody holds it: run it again), or the outcome of the last run. extracted, written, quarantined: of that run.';
