create or replace function sluice._close_records(
  p_ids bigint[], p_status text, p_batch_id bigint, p_version integer, p_reason text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Locked first: waits for whoever else was about to close them.
  v_ids bigint[] := array(
    select q.quarantine_id from sluice.quarantine q
    where q.quarantine_id = any (p_ids) and q.status = 'open' order by q.quarantine_id for no key update);
begin
  perform sluice._note_first_errors(v_ids);
  insert into sluice.quarantine_events (quarantine_id, event, batch_id, version, reason)
  select id, p_status, p_batch_id, p_version, p_reason from unnest(v_ids) id;
  update sluice.quarantine q set
    status = p_status, resolved_batch_id = p_batch_id, reason = p_reason, closed_at = now(), closed_by = session_user,
    -- This recognises the source's own bytes when they come again.
    payload_sha256 = case when p_status = 'discarded' and q.original_payload is not null
      then sha256(q.original_payload) else q.payload_sha256 end
  where q.quarantine_id = any (v_ids);
  return cardinality(v_ids);
end
$$;

comment on function sluice._close_records(bigint[], text, bigint, integer, text) is
  'Closes those of the records that are still open, as replayed, loaded or discarded, and adds that to their history.';

-- The history of a record begins with its error; that is written only when something else happens to it, as most have
-- no history.
create or replace function sluice._note_first_errors(p_ids bigint[])
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.quarantine_events (quarantine_id, event, happened_at, done_by, batch_id, version,
    sqlstate, message, constraint_name, column_name)
  select q.quarantine_id, 'quarantined', q.last_seen_at, coalesce(b.recorded_by, 'unknown'), q.last_batch_id, q.version,
    q.sqlstate, q.message, q.constraint_name, q.column_name
  from sluice.quarantine q
  left join sluice.batches b on b.batch_id = q.last_batch_id
  where q.quarantine_id = any (p_ids)
    and not exists (select from sluice.quarantine_events e where e.quarantine_id = q.quarantine_id)
  order by q.quarantine_id
$$;
