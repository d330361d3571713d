create or replace function sluice.amend(quarantine_id bigint, payload text, reason text, as_is boolean default false)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if amend.payload is null or btrim(amend.payload, E' \t\r\n') = '' and not amend.as_is then
    raise exception using errcode = 'SL005', message = 'amend needs a payload',
      hint = 'payload => ''{"order_id": 42, ...}'': the whole record as it should have come;'
        ' discard closes a record instead';
  end if;
  if not amend.as_is then
    begin
      perform amend.payload::jsonb;
    exception when data_exception then
      raise exception using errcode = 'SL005', message = format('the payload is no JSON: %s', sqlerrm),
        detail = left(amend.payload, 200), hint = 'as_is => true (--as-is) takes it all the same';
    end;
  end if;
  perform sluice._change_payload(amend.quarantine_id, 'amended', convert_to(amend.payload, 'UTF8'), amend.reason);
  return format('quarantined record %s amended; sluice.replay loads it', amend.quarantine_id);
end
$$;

comment on function sluice.amend(bigint, text, text, boolean) is
$$Corrects the payload of an open quarantined record, for the next replay.
quarantine_id: as in sluice.quarantine_open.
payload: the whole record as it should have come; JSON, unless as_is.
reason: why. The original stays beside it (sluice.restore_payload goes back to it), and who did it, when and why in
sluice.quarantine_history.
Example: select sluice.amend(42, '{"id": 7, "amount": "12.50"}', 'decimal comma')$$;

create or replace function sluice.restore_payload(quarantine_id bigint, reason text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._change_payload(restore_payload.quarantine_id, 'restored', null, restore_payload.reason);
  return format('quarantined record %s is as it came', restore_payload.quarantine_id);
end
$$;

comment on function sluice.restore_payload(bigint, text) is
$$Takes back what was amended: the payload of an open quarantined record is what the source delivered.
quarantine_id: as in sluice.quarantine_open; reason: why.
Example: select sluice.restore_payload(42, 'the shop says it was right')$$;

-- Gives an open record another payload, or without one the original, and adds that to its history.
create or replace function sluice._change_payload(p_id bigint, p_event text, p_payload bytea, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_record sluice.quarantine;
begin
  if coalesce(btrim(p_reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'amend needs a reason',
      hint = 'reason => ''decimal comma'' (--reason): it stays with the record';
  end if;
  select * into v_record from sluice.quarantine q where q.quarantine_id = p_id for no key update;
  if v_record.status is distinct from 'open' then
    raise exception using errcode = 'SL005', message = case
        when v_record.status is null then format('there is no quarantined record %s', p_id)
        else format('quarantined record %s is closed: %s', p_id, v_record.status) end,
      hint = 'open are those in sluice.quarantine_open; sluice.reopen opens discarded ones again';
  end if;
  if p_payload is null and v_record.original_payload is null then
    raise exception using errcode = 'SL005', message = format('quarantined record %s is as it came', p_id),
      hint = 'there is nothing to restore';
  end if;
  perform sluice._note_first_errors(array[p_id]);
  insert into sluice.quarantine_events (quarantine_id, event, reason, payload)
  values (p_id, p_event, p_reason, v_record.payload);
  begin
    update sluice.quarantine q set
      payload = coalesce(p_payload, q.original_payload),
      payload_sha256 = sha256(coalesce(p_payload, q.original_payload)),
      original_payload = case when p_payload is not null then coalesce(q.original_payload, q.payload) end
    where q.quarantine_id = p_id;
  exception when unique_violation then
    raise exception using errcode = 'SL005',
      message = format('quarantined record %s would become the same as another that is open', p_id),
      hint = 'discard one of the two';
  end;
end
$$;
