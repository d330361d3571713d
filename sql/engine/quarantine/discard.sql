create or replace function sluice.discard(
  pipeline text, quarantine_ids bigint[] default null, reason text default null, filter text default null,
  all_open boolean default false)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $f$
begin
  if (num_nonnulls(discard.quarantine_ids, discard.filter) > 0) = coalesce(discard.all_open, false) then
    raise exception using errcode = 'SL005',
      message = case when discard.all_open then 'discard takes all open records or a choice of them, not both'
        else 'discard needs to be told which records' end,
      hint = 'quarantine_ids => ''{42,43}'', filter => $$ sqlstate = ''22P02'' $$, or all_open => true;'
        ' sluice.find_quarantined shows which they are';
  end if;
  if coalesce(btrim(discard.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'discard needs a reason',
      hint = 'reason => ''duplicates of the April export'': it stays with the records';
  end if;
  return sluice._close_records(
    array(select sluice.find_quarantined(discard.pipeline, discard.quarantine_ids, discard.filter)),
    'discarded', null, null, discard.reason);
end
$f$;

comment on function sluice.discard(text, bigint[], text, text, boolean) is
$f$Closes open quarantined records for good, with a reason; their payloads are kept. Returns how many. When the source
brings the same bytes again, as after a rewind, and they are still bad, they stay discarded.
quarantine_ids: these; filter: those that meet a condition on sluice.quarantine_open_details; all_open: all of the
pipeline. One of them is needed. sluice.find_quarantined shows which records that are, sluice.reopen takes it back.
Example: select sluice.discard('orders', '{42,43}', reason => 'test records')$f$;
