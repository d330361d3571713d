create or replace function sluice.hold_pipeline(pipeline text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(hold_pipeline.pipeline);
begin
  perform set_config('idle_in_transaction_session_timeout', '0', true);
  if current_setting('transaction_timeout', true) is not null then
    perform set_config('transaction_timeout', '0', true); -- PostgreSQL 17
  end if;
  return pg_try_advisory_xact_lock(sluice._lock_class('guard'), v_pipeline.pipeline_id);
end
$$;

comment on function sluice.hold_pipeline(text) is
$$Holds the pipeline to the end of the transaction: one run at a time. A politeness: what makes a second run harmless is
the fence in load_batch. False when another session holds it (see pipeline_holder).$$;

create or replace function sluice.pipeline_holder(pipeline text)
returns table (pid integer, application_name text, username text, silent_seconds double precision)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(pipeline_holder.pipeline);
begin
  return query
  select l.pid, a.application_name, a.usename::text, extract(epoch
    from clock_timestamp() - a.state_change)::double precision
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.database = (select d.oid from pg_database d where d.datname = current_database())
    and l.classid = sluice._lock_class('guard')::bigint
    and l.objid = v_pipeline.pipeline_id::bigint;
end
$$;

comment on function sluice.pipeline_holder(text) is
  'The session that holds a pipeline, and for how long it has been silent: a living loader speaks every few seconds.';

create or replace function sluice.evict_loader(pipeline text, guard_too boolean default false)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(evict_loader.pipeline);
  v_session  record;
  v_count    integer := 0;
begin
  for v_session in
    select distinct a.pid, a.usename, a.application_name
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'advisory' and l.granted and l.objsubid = 2
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and l.objid = v_pipeline.pipeline_id::bigint
      and (l.classid = sluice._lock_class('batch')::bigint or (evict_loader.guard_too
        and l.classid = sluice._lock_class('guard')::bigint))
      and a.application_name like 'sluice%' and a.pid <> pg_backend_pid() and a.usename = session_user
  loop
    -- A loader frozen in copy obeys neither timeouts nor pg_cancel_backend.
    if pg_terminate_backend(v_session.pid) then
      v_count := v_count + 1;
      raise debug 'pipeline %: ended session % (%) of a stale loader', v_pipeline.name, v_session.pid,
        v_session.application_name;
    end if;
  end loop;
  return v_count;
end
$$;

comment on function sluice.evict_loader(text, boolean) is
$$Ends the sessions of a stale loader of the pipeline: those in a batch, and with guard_too the one that holds the
pipeline. Only sessions of the same role whose application_name begins with sluice. Returns how many. Example: select
sluice.evict_loader('orders', guard_too => true)$$;
