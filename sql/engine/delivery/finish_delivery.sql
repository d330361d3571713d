create or replace function sluice.finish_delivery(
  pipeline text, epoch bigint, outcome text, error text default null, target text default null)
returns table (unsent bigint, in_flight bigint, dead bigint, superseded bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._as_only_target(
    sluice._find_own_live_pipeline(finish_delivery.pipeline), finish_delivery.target);
  v_state    sluice.delivery_state;
  v_now      timestamptz := clock_timestamp();
begin
  v_state := sluice._lock_delivery(v_pipeline, finish_delivery.epoch);
  update sluice.delivery_state s set
    finished_at = v_now, counted_at = v_now, outcome = finish_delivery.outcome, error = finish_delivery.error
  where (s.pipeline_id, s.route) = (v_state.pipeline_id, v_state.route);
  superseded := (select count(*) from sluice.outbox o
    where (o.pipeline_id, o.route) = (v_state.pipeline_id, v_state.route) and o.state = 'superseded'
      and o.closed_at > v_state.counted_at and o.closed_at <= v_now);
  perform sluice._prune_outbox(v_pipeline);
  return query
  select count(*) filter (where o.state = 'unsent'), count(*) filter (where o.state = 'in_flight'),
    count(*) filter (where o.state = 'dead'), superseded
  from sluice.outbox o
  where (o.pipeline_id, o.route) = (v_state.pipeline_id, v_state.route) and o.state in ('unsent', 'in_flight', 'dead');
end
$$;

comment on function sluice.finish_delivery(text, bigint, text, text, text) is
$$Notes how a sender ended, drops deliveries that have been done for keep_days, and counts what is left. superseded:
since the sender before it ended. target: see start_delivery. Correctness does not depend on it.$$;

-- Deliveries of one target about which there has long been nothing more to do.
create or replace function sluice._prune_outbox(p_only sluice.pipelines)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  delete from sluice.outbox o
  where o.pipeline_id = p_only.pipeline_id and o.route = sluice._route(p_only)
    and o.closed_at < now() - make_interval(days => coalesce((p_only.deliver ->> 'keep_days')::integer, 7))
$$;
