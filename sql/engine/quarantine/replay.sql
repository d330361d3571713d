-- Quarantined records once more, by the way every batch goes: transform, checks, merge, ledger.
-- They come from their raw bytes, in the order they arrived, and they never overwrite what
-- came later (sluice._outdated_sql). One transaction: the caller's.
create or replace function sluice.replay(
  pipeline text, version integer default null, filter text default null, quarantine_ids bigint[] default null,
  overwrite_unsure boolean default false, batch_rows integer default 10000)
returns table (batch bigint, version_used integer, replayed bigint, quarantined bigint, unsure bigint, filtered bigint,
  inserted bigint, updated bigint, deleted bigint, unchanged bigint, stale bigint, superseded bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(replay.pipeline);
  v_ids      bigint[];
  v_done     record;
begin
  if replay.batch_rows < 1 then
    raise exception using errcode = 'SL005', message = format('batch_rows %s is not positive', replay.batch_rows),
      hint = 'leave it out for batches of 10000';
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_ids := array(select i.quarantine_id from sluice._quarantined_ids(v_pipeline, replay.quarantine_ids, replay.filter) i);
  for v_first in 1 .. cardinality(v_ids) by replay.batch_rows loop
    v_done := sluice._replay_batch(v_pipeline, replay.version, v_ids[v_first : v_first + replay.batch_rows - 1],
      case when replay.overwrite_unsure then 'arrival_only' else 'arrival' end, false);
    if (v_done.ledger).batch_id is not null then
      batch := (v_done.ledger).batch_id;
      version_used := (v_done.ledger).version;
      replayed := (v_done.ledger).transformed + (v_done.ledger).filtered - v_done.unsure;
      quarantined := (v_done.ledger).quarantined;
      unsure := v_done.unsure;
      filtered := (v_done.ledger).filtered;
      inserted := (v_done.ledger).inserted;
      updated := (v_done.ledger).updated;
      deleted := (v_done.ledger).deleted;
      unchanged := (v_done.ledger).unchanged;
      stale := (v_done.ledger).stale;
      superseded := (v_done.ledger).superseded;
      return next;
    end if;
  end loop;
end
$$;

comment on function sluice.replay(text, integer, text, bigint[], boolean, integer) is
  'Puts open quarantined records through the transform again, in the order they arrived; one line a batch. version: which one, the active one when left out. filter: a condition on sluice.quarantine_open_details, such as $$ sqlstate = ''22P02'' $$; quarantine_ids: only these. What loads is closed and names its batch; what is still bad stays open with its new error. An older record never overwrites a newer row (stale); where that cannot be told (unsure: no order_by, or the same value in it, and the row may have come again since) the record stays open, unless overwrite_unsure says to load it. batch_rows: records a batch. Example: select * from sluice.replay(''orders'', version => 3, filter => $$ "column" = ''amount'' $$)';
