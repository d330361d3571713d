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
      hint = 'reason => ''duplicates of the April export'' (--reason): it stays with the records';
  end if;
  perform sluice._find_own_live_pipeline(discard.pipeline);
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

create or replace function sluice.reopen(
  pipeline text, quarantine_ids bigint[] default null, filter text default null, all_discarded boolean default false)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $f$
declare
  v_ids bigint[];
begin
  if (num_nonnulls(reopen.quarantine_ids, reopen.filter) > 0) = coalesce(reopen.all_discarded, false) then
    raise exception using errcode = 'SL005',
      message = case when reopen.all_discarded then 'reopen takes all discarded records or a choice of them, not both'
        else 'reopen needs to be told which records' end,
      hint = 'quarantine_ids => ''{42,43}'', filter => $$ reason = ''test records'' $$, or all_discarded => true;'
        ' sluice.quarantine_discarded shows which there are';
  end if;
  perform sluice._find_own_live_pipeline(reopen.pipeline);
  v_ids := array(select sluice.find_discarded(reopen.pipeline, reopen.quarantine_ids, reopen.filter));
  v_ids := array(
    select q.quarantine_id from sluice.quarantine q
    where q.quarantine_id = any (v_ids) and q.status = 'discarded' order by q.quarantine_id for no key update);
  insert into sluice.quarantine_events (quarantine_id, event)
  select id, 'reopened' from unnest(v_ids) id;
  begin
    update sluice.quarantine q set
      status = 'open', reason = null, closed_at = null, closed_by = null, payload_sha256 = sha256(q.payload)
    where q.quarantine_id = any (v_ids);
  exception when unique_violation then
    raise exception using errcode = 'SL005',
      message = 'these records cannot all be reopened: the same bytes would be open twice',
      detail = (
        select format('the same bytes are in records %s',
          string_agg(q.quarantine_id::text, ', ' order by q.quarantine_id))
        from sluice.quarantine q join sluice.pipelines p using (pipeline_id)
        where p.name = reopen.pipeline and (q.status = 'open' or q.quarantine_id = any (v_ids))
        group by sha256(q.payload) having count(*) > 1 order by min(q.quarantine_id) limit 1),
      hint = 'leave out all but one of them';
  end;
  return cardinality(v_ids);
end
$f$;

comment on function sluice.reopen(text, bigint[], text, boolean) is
$f$Opens discarded records again; returns how many. quarantine_ids: these; filter: those that meet a condition on
sluice.quarantine_discarded; all_discarded: all of the pipeline. One of them is needed.
Example: select sluice.reopen('orders', filter => $$ reason = 'test records' $$)$f$;
