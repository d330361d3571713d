create or replace function sluice.discard(pipeline text, quarantine_ids bigint[] default null, reason text default null, filter text default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(discard.pipeline);
begin
  if coalesce(btrim(discard.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'discard needs a reason',
      hint = 'reason => ''duplicates of the April export'': it stays with the records';
  end if;
  return sluice._close_records(array(
    select i.quarantine_id from sluice._quarantined_ids(v_pipeline, discard.quarantine_ids, discard.filter) i),
    'discarded', null, null, discard.reason);
end
$$;

comment on function sluice.discard(text, bigint[], text, text) is
  'Closes open quarantined records for good, with a reason; their payloads are kept. quarantine_ids: only these; filter: a condition on sluice.quarantine_open_details; all of the pipeline when both are left out. Returns how many. Example: select sluice.discard(''orders'', ''{42,43}'', reason => ''test records'')';
