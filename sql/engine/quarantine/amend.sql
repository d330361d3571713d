create or replace function sluice.amend(quarantine_id bigint, payload text, reason text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_payload bytea := convert_to(amend.payload, 'UTF8');
  v_record  sluice.quarantine;
begin
  if coalesce(btrim(amend.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'amend needs a reason',
      hint = 'reason => ''decimal comma'': it stays with the record';
  end if;
  if v_payload is null then
    raise exception using errcode = 'SL005', message = 'amend needs a payload',
      hint = 'payload => ''{"order_id": 42, ...}'': the whole record as it should have come; discard closes a record instead';
  end if;
  select * into v_record from sluice.quarantine q where q.quarantine_id = amend.quarantine_id for no key update;
  if v_record.status is distinct from 'open' then
    raise exception using errcode = 'SL005',
      message = case when v_record.status is null then format('there is no quarantined record %s', amend.quarantine_id)
        else format('quarantined record %s is closed: %s', amend.quarantine_id, v_record.status) end,
      hint = 'open are those in sluice.quarantine_open';
  end if;
  perform sluice._note_first_errors(array[v_record.quarantine_id]);
  insert into sluice.quarantine_events (quarantine_id, event, reason, payload)
  values (v_record.quarantine_id, 'amended', amend.reason, v_record.payload);
  begin
    update sluice.quarantine q set
      payload = v_payload, payload_sha256 = sha256(v_payload), original_payload = coalesce(q.original_payload, q.payload)
    where q.quarantine_id = v_record.quarantine_id;
  exception when unique_violation then
    raise exception using errcode = 'SL005',
      message = format('quarantined record %s would become the same as another that is open', v_record.quarantine_id),
      hint = 'discard one of the two';
  end;
  return format('quarantined record %s amended; sluice.replay loads it', v_record.quarantine_id);
end
$$;

comment on function sluice.amend(bigint, text, text) is
  'Corrects the payload of an open quarantined record, for the next replay. quarantine_id: as in sluice.quarantine_open; payload: the whole record as it should have come; reason: why. The original stays beside it, and who did it, when and why in sluice.quarantine_history. Example: select sluice.amend(42, ''{"id": 7, "amount": "12.50"}'', ''decimal comma'')';
