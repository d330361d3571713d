create or replace function sluice._stage_quarantined(p_pipeline_id integer, p_ids bigint[], p_is_locked boolean)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- Look-ups of the current records only: the quarantine may be very large.
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  if p_is_locked then
    -- So that nobody else replays or discards them; whoever came first has closed them.
    perform from sluice.quarantine q
    where q.quarantine_id = any (p_ids) and q.pipeline_id = p_pipeline_id and q.status = 'open'
    order by q.quarantine_id for no key update;
  end if;
  insert into pg_temp.sluice_replayed (ordinal, quarantine_id, arrived_at)
  select row_number() over (order by w.arrived_at, q.quarantine_id) - 1, q.quarantine_id, w.arrived_at
  from sluice.quarantine q
  left join sluice._batch_arrivals() a on a.batch_id = q.last_batch_id
  cross join lateral (select coalesce(a.arrived_at, q.last_seen_at) as arrived_at) w
  where q.quarantine_id = any (p_ids) and q.pipeline_id = p_pipeline_id and q.status = 'open';

  with record as materialized (
    select r.ordinal, q.position, q.payload, q.sqlstate, q.message, sluice._is_text(q.payload) as is_text
    from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)
    order by r.ordinal
  ), readable as (
    insert into pg_temp.sluice_staging (ordinal, position, payload)
    select r.ordinal, r.position, convert_from(r.payload, 'UTF8') from record r where r.is_text)
  insert into pg_temp.sluice_unreadable (ordinal, position, payload, sqlstate, message)
  select r.ordinal, r.position, r.payload, r.sqlstate, r.message from record r where not r.is_text;

  return (
    select coalesce(
      jsonb_agg(jsonb_build_object('first_ordinal', o.ordinal, 'origin', o.origin) order by o.ordinal), '[]')
    from (
      select r.ordinal, q.origin, lag(q.origin) over (order by r.ordinal) as before
      from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)) o
    where o.ordinal = 0 or o.origin is distinct from o.before);
end
$$;

comment on function sluice._stage_quarantined(integer, bigint[], boolean) is
$$Puts records that are still open into the open batch, in the order they arrived, and locks them if asked. Returns
their origins.$$;
