create or replace function sluice._close_records(
  p_ids bigint[], p_status text, p_batch_id bigint, p_version integer, p_reason text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Locked first: whoever else was about to close them is waited for.
  v_ids bigint[] := array(
    select q.quarantine_id from sluice.quarantine q
    where q.quarantine_id = any (p_ids) and q.status = 'open' order by q.quarantine_id for no key update);
begin
  perform sluice._note_first_errors(v_ids);
  insert into sluice.quarantine_events (quarantine_id, event, batch_id, version, reason)
  select id, p_status, p_batch_id, p_version, p_reason from unnest(v_ids) id;
  update sluice.quarantine q set
    status = p_status, resolved_batch_id = p_batch_id, reason = p_reason, closed_at = now(), closed_by = session_user,
    -- By that the source's own bytes are told when they come again.
    payload_sha256 = case when p_status = 'discarded' and q.original_payload is not null
      then sha256(q.original_payload) else q.payload_sha256 end
  where q.quarantine_id = any (v_ids);
  return cardinality(v_ids);
end
$$;

comment on function sluice._close_records(bigint[], text, bigint, integer, text) is
  'Closes those of the records that are still open, as replayed, loaded or discarded, and adds that to their history.';
