create or replace function sluice.hold_delivery(
  pipeline text, stale_after double precision default 30, ours integer[] default '{}')
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(hold_delivery.pipeline);
  v_holder   record;
begin
  perform sluice._allow_silence();
  if pg_try_advisory_xact_lock(sluice._lock_class('deliver'), v_pipeline.pipeline_id) then
    return null;
  end if;
  select a.*, sluice._silent_seconds(a.state_change) as silent_seconds into v_holder
  from pg_stat_activity a where a.pid in (select h from sluice._holders('deliver', v_pipeline.pipeline_id) h);
  if not found then
    return 'nobody any more'; -- it has let go meanwhile
  end if;
  -- Those of other roles, and whoever took the lock by hand, are left alone.
  if (v_holder.silent_seconds >= stale_after or v_holder.pid = any (ours)) and v_holder.usename = session_user
    and v_holder.application_name like 'sluice%' then
    perform pg_terminate_backend(v_holder.pid);
  end if;
  return format('process %s (%s) of role %s, last heard %s s ago', v_holder.pid, v_holder.application_name,
    v_holder.usename, round(v_holder.silent_seconds));
end
$$;

comment on function sluice.hold_delivery(text, double precision, integer[]) is
$$Holds the deliveries of a pipeline to the end of the transaction: one sender at a time. Null when they are held, else
who holds them. A sender of the same role that has been silent for stale_after seconds (0: any) is ended, and so is one
of ours, given by process id; then ask again. A courtesy: what makes a second sender harmless is the fence, and that
idempotency keys stay the same.$$;

create or replace function sluice.evict_sender(pipeline text)
returns integer
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select sluice._end_holders('{sending}', (sluice._find_own_live_pipeline(pipeline)).pipeline_id)
$$;

comment on function sluice.evict_sender(text) is
$$Ends the sessions that work on deliveries of the pipeline: one that was cut off keeps their state locked. Only
sessions of the same role whose application_name begins with sluice. Returns how many.$$;
