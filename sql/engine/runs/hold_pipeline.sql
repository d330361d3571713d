create or replace function sluice.hold_pipeline(pipeline text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(hold_pipeline.pipeline);
begin
  perform sluice._allow_silence();
  return pg_try_advisory_xact_lock(sluice._lock_class('guard'), v_pipeline.pipeline_id);
end
$$;

comment on function sluice.hold_pipeline(text) is
$$Holds the pipeline to the end of the transaction: one run at a time. A courtesy: what makes a second run harmless is
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
  select a.pid, a.application_name, a.usename::text, sluice._silent_seconds(a.state_change)
  from pg_stat_activity a where a.pid in (select h from sluice._holders('guard', v_pipeline.pipeline_id) h);
end
$$;

comment on function sluice.pipeline_holder(text) is
  'The session that holds a pipeline, and for how long it has been silent: a living loader speaks every few seconds.';

-- For how long a session has been silent. Clocks are set back, too.
create or replace function sluice._silent_seconds(p_since timestamptz)
returns double precision
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select greatest(extract(epoch from clock_timestamp() - p_since)::double precision, 0)
$$;

create or replace function sluice.evict_loader(pipeline text, guard_too boolean default false)
returns integer
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select sluice._end_holders(case when guard_too then '{batch,guard}'::text[] else '{batch}' end,
    (sluice._find_own_pipeline(pipeline)).pipeline_id)
$$;

comment on function sluice.evict_loader(text, boolean) is
$$Ends the sessions of a stale loader of the pipeline: those in a batch, and with guard_too the one that holds the
pipeline. Only sessions of the same role whose application_name begins with sluice. Returns how many. Example: select
sluice.evict_loader('orders', guard_too => true)$$;
