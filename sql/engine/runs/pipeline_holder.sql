create or replace function sluice.pipeline_holder(pipeline text)
returns table (pid integer, application_name text, username text, silent_seconds double precision)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select l.pid, a.application_name, a.usename::text, extract(epoch
    from clock_timestamp() - a.state_change)::double precision
  from pg_catalog.pg_locks l
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
    and l.classid = sluice._lock_class('guard')::bigint
    and l.objid = (sluice._find_pipeline(pipeline)).pipeline_id::bigint
$$;

comment on function sluice.pipeline_holder(text) is
  'The session that holds a pipeline, and for how long it has been silent: a living loader speaks every few seconds.';
