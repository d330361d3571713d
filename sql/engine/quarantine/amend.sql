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
