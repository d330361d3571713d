create or replace function sluice._stage_quarantined(p_pipeline_id integer, p_ids bigint[], p_is_locked boolean)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_origins jsonb;
begin
  if p_is_locked then
    -- So that nobody else replays or discards them; whoever came first has closed them.
    perform from sluice.quarantine q
    where q.quarantine_id = any (p_ids) and q.pipeline_id = p_pipeline_id and q.status = 'open'
    order by q.quarantine_id for update;
  end if;
  insert into pg_temp.sluice_replayed (ordinal, quarantine_id, arrived_at)
  select row_number() over (order by a.arrived_at, q.quarantine_id) - 1, q.quarantine_id, a.arrived_at
  from sluice.quarantine q
  left join sluice.batches b on b.batch_id = q.last_batch_id
  cross join lateral (select coalesce(sluice._came_at(b), q.last_seen_at) as arrived_at) a
  where q.quarantine_id = any (p_ids) and q.pipeline_id = p_pipeline_id and q.status = 'open';

  insert into pg_temp.sluice_staging (ordinal, position, payload)
  select r.ordinal, q.position, convert_from(q.payload, 'UTF8')
  from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)
  where sluice._is_text(q.payload) order by r.ordinal;
  insert into pg_temp.sluice_unreadable (ordinal, position, payload, sqlstate, message)
  select r.ordinal, q.position, q.payload, q.sqlstate, q.message
  from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)
  where not sluice._is_text(q.payload) order by r.ordinal;

  select jsonb_agg(jsonb_build_object('first_ordinal', o.ordinal, 'origin', o.origin) order by o.ordinal) into v_origins
  from (
    select r.ordinal, q.origin, lag(q.origin) over (order by r.ordinal) as before
    from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)) o
  where o.ordinal = 0 or o.origin is distinct from o.before;
  return coalesce(v_origins, '[]');
end
$$;

comment on function sluice._stage_quarantined(integer, bigint[], boolean) is
  'Puts quarantined records that are still open into the open batch, in the order they came, and locks them if asked. Returns their origins.';
