-- Deliveries of a target are sent by one sender at a time, in the order in which they were noted, and of a key never
-- two at once:
--
--   hold_delivery        one sender a pipeline, as long as its transaction is open: a courtesy
--   start_delivery       a new epoch, which deposes any earlier sender: the fence
--   claim_deliveries     an attempt is noted and committed before it is made, with its body and what goes together
--   (the request, or the transaction in another database)
--   split_parcel         what was refused as a whole, in halves
--   record_deliveries    what came of it
--   finish_delivery      what is old enough goes
--
-- Whatever is in flight and not held by the sender was left by one that died, or whose question was answered into
-- the void: it is repeated with the same key and the same body.
create or replace function sluice.start_delivery(pipeline text, sender text, target text default null)
returns table (epoch bigint, settings jsonb, has_accepted boolean, stream uuid, key text[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
  v_version  record;
  v_state    sluice.delivery_state;
begin
  perform sluice._refuse_read_only();
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_pipeline := sluice._find_delivering(start_delivery.pipeline, start_delivery.target);
  perform sluice._refuse_paused(v_pipeline);
  perform sluice._refuse_hidden_rows(v_pipeline.name, to_regclass(v_pipeline.target));
  v_version := sluice._latest_version(v_pipeline);
  perform sluice._check_target(
    v_pipeline.name, v_pipeline.target, v_version.key, v_version.order_by, v_version.columns);
  perform sluice._wait_for_delivery(v_pipeline.pipeline_id);
  update sluice.delivery_state s set epoch = s.epoch + 1, sender = start_delivery.sender,
    started_at = clock_timestamp(), finished_at = null, outcome = null, error = null
  where s.pipeline_id = v_pipeline.pipeline_id and s.route = sluice._route(v_pipeline)
  returning * into strict v_state;
  perform sluice._check_body_function(v_pipeline);
  return query
  select v_state.epoch, v_pipeline.deliver, v_state.accepted_at is not null, v_state.stream, v_version.key;
end
$$;

comment on function sluice.start_delivery(text, text, text) is
$$Begins to send the deliveries of a pipeline: a new epoch, which deposes any earlier sender, and where they go.
has_accepted: whether the endpoint has taken a row before. stream: the name by which another database knows what it
  took. key: that of the target.
sender: who sends, for people to read.
target: one of those that sluice.delivering_targets names, the first unless given; here and in the calls that follow.
SL005 when its rows are delivered nowhere, SL006 when its body function was replaced, SL007 when it is paused.$$;

-- SL006 when it is another function than the one that the pipeline was defined with.
create or replace function sluice._check_body_function(p_only sluice.pipelines)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_state sluice.delivery_state;
begin
  select * into v_state from sluice.delivery_state s
  where s.pipeline_id = p_only.pipeline_id and s.route = sluice._route(p_only) and p_only.deliver is not null;
  if sluice._function_sha256(to_regprocedure(v_state.body_function)) is distinct from v_state.body_sha256 then
    raise exception using errcode = 'SL006',
      message = format('pipeline %s: the body function %s %s', p_only.name, v_state.body_function,
        case when to_regprocedure(v_state.body_function) is null then 'was dropped'
          else 'is not what the pipeline was defined with' end),
      hint = 'if it is meant to be so, apply the pipeline''s definition again';
  end if;
end
$$;

-- Whoever comes next shall not wait for ever for a session that was cut off: it has a name, and the wait
-- an end (55P03).
create or replace function sluice._wait_for_delivery(p_pipeline_id integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('sending'), p_pipeline_id);
  perform set_config('lock_timeout', '5s', true);
end
$$;

-- The fence: locks how far the deliveries are, or refuses (SL001) a sender that was replaced.
create or replace function sluice._lock_delivery(p_only sluice.pipelines, p_epoch bigint)
returns sluice.delivery_state
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_state sluice.delivery_state;
begin
  perform sluice._wait_for_delivery(p_only.pipeline_id);
  select * into v_state from sluice.delivery_state s
  where s.pipeline_id = p_only.pipeline_id and s.route = sluice._route(p_only) for update;
  if v_state.epoch is distinct from p_epoch then
    raise exception using errcode = 'SL001', message = coalesce(
        format('deposed: %s sends since %s', v_state.sender, v_state.started_at), 'deposed: the pipeline was dropped'),
      hint = 'what this sender had in flight is repeated by the other one, with the same keys';
  end if;
  return v_state;
end
$$;
