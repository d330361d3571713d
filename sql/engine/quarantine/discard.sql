create or replace function sluice.discard(
  pipeline text, quarantine_ids bigint[] default null, reason text default null, filter text default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(btrim(discard.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'discard needs a reason',
      hint = 'reason => ''duplicates of the April export'': it stays with the records';
  end if;
  return sluice._close_records(
    array(select sluice.find_quarantined(discard.pipeline, discard.quarantine_ids, discard.filter)),
    'discarded', null, null, discard.reason);
end
$$;

comment on function sluice.discard(text, bigint[], text, text) is $$
Closes open quarantined records for good, with a reason; their payloads are kept. Returns how many.
quarantine_ids: only these. filter: a condition on sluice.quarantine_open_details. All of the pipeline when both are
left out.
Example: select sluice.discard('orders', '{42,43}', reason => 'test records')$$;
