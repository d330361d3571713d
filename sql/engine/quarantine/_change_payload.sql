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
      hint = 'reason => ''decimal comma'': it stays with the record';
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

comment on function sluice._change_payload(bigint, text, bytea, text) is
  'Gives an open record another payload, or without one the original, and adds that to its history.';
