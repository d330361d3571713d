-- Quarantined records again, through the steps of every batch: transform, checks, merge, ledger. They start from
-- their raw bytes, in the order they arrived, and never overwrite what came later (sluice._outdated_sql). One
-- transaction: the caller's.
create or replace function sluice.replay(
  pipeline text, version integer default null, filter text default null, quarantine_ids bigint[] default null,
  overwrite_unsure boolean default false, batch_rows integer default 10000)
returns table (batch bigint, version_used integer, replayed bigint, quarantined bigint, unsure bigint, filtered bigint,
  inserted bigint, updated bigint, deleted bigint, unchanged bigint, stale bigint, superseded bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(replay.pipeline);
  v_ids      bigint[];
  v_done     record;
  v_books    sluice.batches;
begin
  if replay.batch_rows < 1 then
    raise exception using errcode = 'SL005', message = format('batch_rows %s is not positive', replay.batch_rows),
      hint = 'leave it out for batches of 10000';
  end if;
  perform sluice._refuse_read_only();
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_ids := array(select sluice.find_quarantined(replay.pipeline, replay.quarantine_ids, replay.filter));
  for v_first in 1 .. cardinality(v_ids) by replay.batch_rows loop
    v_done := sluice._replay_batch(v_pipeline, replay.version, v_ids[v_first : v_first + replay.batch_rows - 1],
      case when replay.overwrite_unsure then 'arrival_only' else 'arrival' end, false);
    v_books := v_done.ledger;
    return query
    select v_books.batch_id, v_books.version, v_books.transformed + v_books.filtered - v_done.unsure,
      v_books.quarantined, v_done.unsure, v_books.filtered, v_books.inserted, v_books.updated, v_books.deleted,
      v_books.unchanged, v_books.stale, v_books.superseded
    where v_books.batch_id is not null;
  end loop;
end
$$;

comment on function sluice.replay(text, integer, text, bigint[], boolean, integer) is
$$Puts open quarantined records through the transform again, in the order they arrived; one line per batch.
version: which one, the active one when left out.
filter: a condition on sluice.quarantine_open_details, such as $f$ sqlstate = '22P02' $f$.
quarantine_ids: only these.
overwrite_unsure: load also what may be older than the row in the target.
batch_rows: records per batch.
What loads is closed and names its batch; what is still bad stays open with its new error. An older record never
overwrites a newer row (stale); where that cannot be told (unsure: no order_by, or the same value in it, and the row may
have come again since) the record stays open, unless overwrite_unsure says to load it.
Constraints that the caller's transaction has deferred are checked at once, and stay immediate to its end: what it has
broken is no fault of a record.
Example: select * from sluice.replay('orders', version => 3, filter => $f$ "column" = 'amount' $f$)$$;
