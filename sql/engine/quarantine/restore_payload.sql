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
