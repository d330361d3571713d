create or replace function sluice.record_deliveries(
  pipeline text, epoch bigint, outcomes jsonb, target text default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._as_only_target(
    sluice._find_own_live_pipeline(record_deliveries.pipeline), record_deliveries.target);
  v_state    sluice.delivery_state := sluice._lock_delivery(v_pipeline, record_deliveries.epoch);
  v_sent     bigint;
  v_count    bigint;
begin
  with recorded as (
    update sluice.outbox o set
      state = r.state, attempts = r.attempts, status = r.status, answer = r.answer, error = r.error,
      attempted_at = case when r.state <> 'unsent' then o.attempted_at end,
      body = case when r.state in ('in_flight', 'dead') then o.body end,
      parcel = case when r.state <> 'unsent' and r.outcome <> 'again' then o.parcel end,
      closed_at = case when r.state in ('sent', 'superseded') then clock_timestamp() end
    from (
      select x.*, case
          when x.outcome in ('waiting', 'again') or x.outcome = 'released' and x.attempts > 1 then 'in_flight'
          when x.outcome = 'sent' then 'sent'
          when x.is_outdated then 'superseded'
          when x.outcome in ('released', 'put_off') then 'unsent'
          else 'dead' end as state
      from (
        select i.delivery_id, n.outcome, n.status, n.answer, n.error, i.attempts + coalesce(n.retries, 0) as attempts,
          -- What is sent instead was noted while this one was in flight.
          exists (select from sluice.outbox later where later.pipeline_id = i.pipeline_id and later.route = i.route
            and later.key_hash = i.key_hash and later.state = 'unsent' and later.delivery_id > i.delivery_id)
            as is_outdated
        from jsonb_to_recordset(record_deliveries.outcomes)
          as n (id bigint, outcome text, status integer, answer text, error text, retries integer)
        join sluice.outbox i on i.delivery_id = n.id
        where (i.pipeline_id, i.route) = (v_state.pipeline_id, v_state.route) and i.state = 'in_flight') x) r
    where o.delivery_id = r.delivery_id
    returning o.state)
  select count(*), count(*) filter (where r.state = 'sent') into v_count, v_sent from recorded r;
  update sluice.delivery_state s set sent_count = s.sent_count + v_sent,
    accepted_at = case when v_sent > 0 then clock_timestamp() else s.accepted_at end
  where (s.pipeline_id, s.route) = (v_state.pipeline_id, v_state.route) and v_sent > 0;
  return v_count;
end
$$;

comment on function sluice.record_deliveries(text, bigint, jsonb, text) is
$$Notes what came of deliveries in flight. outcomes: [{"id": 7, "outcome": "sent", "status": 200, "retries": 0}, ...];
answer and error where it was not sent. outcome: sent; dead (refused: superseded if a newer change of the key waits);
waiting (not decided: stays in flight); again (the same, and not together with what it was sent with); released
(certainly not applied: unsent again); put_off (certainly not applied: unsent again, to be sent after other rows).
retries: requests beyond the first. Called again it changes nothing. SL001 when the sender was deposed. target: see
start_delivery. Returns how many were in flight.$$;

-- Why a delivery did not arrive, in short: that there was an answer is told by its status, and what was wrong by the
-- answer itself.
create or replace function sluice._why_undelivered(p_error text, p_answer text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_answer is not null and p_error ~ ' answered (for the row|[0-9]{3} )' then p_answer
    else coalesce(p_error, p_answer) end
$$;
