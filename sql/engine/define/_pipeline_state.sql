create or replace function sluice._pipeline_state(p_pipeline_id integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p.is_paused or exists (select from sluice.pipelines o where o.pipeline_id = p.backfill_of
      and o.is_paused) then 'paused'
    when r.run_id is null then 'new'
    when r.outcome is not null then r.outcome
    when exists (
      select from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.database = (select d.oid from pg_database d where d.datname = current_database())
        and l.classid = sluice._lock_class('guard')::bigint and l.objid = p.pipeline_id::bigint) then 'running'
    else 'died' end
  from sluice.pipelines p
  left join lateral (
    select * from sluice.runs r where r.pipeline_id = p.pipeline_id order by r.epoch desc limit 1) r on true
  where p.pipeline_id = p_pipeline_id
$$;

comment on function sluice._pipeline_state(integer) is
  'new, running, paused, died (no outcome and nobody holds it), or the outcome of the last run.';

-- Runs that failed since one ended well, if the last one did. A run that was stopped, or found the pipeline held, is
-- neither.
create or replace function sluice._failures(p_pipeline_id integer, out failing_since timestamptz,
  out failed_runs bigint)
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
  select min(r.started_at), count(*)
  from sluice.runs r
  where r.pipeline_id = p_pipeline_id and r.outcome in ('failed', 'threshold') and r.run_id > coalesce((
    select o.run_id from sluice.runs o where o.pipeline_id = p_pipeline_id and o.outcome = 'ok'
    order by o.run_id desc limit 1), 0)
$$;
