create or replace function sluice._pipeline_state(p_pipeline_id integer, p_is_paused boolean, p_run_id bigint, p_outcome text)
returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_is_paused then 'paused'
    when p_run_id is null then 'new'
    when p_outcome is not null then p_outcome
    when exists (
      select from pg_catalog.pg_locks l
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
        and l.classid = sluice._lock_class('guard')::bigint and l.objid = p_pipeline_id::bigint) then 'running'
    else 'died'
  end
$$;

comment on function sluice._pipeline_state(integer, boolean, bigint, text) is
  'The state of a pipeline with this last run, as the view status tells it.';
