-- The serial part of a batch and its commit point. Top to bottom:
--
--   the fence    the pipeline's state row is locked; epoch and sequence say whether this batch may commit
--   the target   one writer at a time, whichever pipeline, replay or backfill it belongs to
--   the rows     _load_rows: what was known still stands, parents have come, merge
--   the rest     threshold, quarantine, retained payloads, keys for a complete read
--   the books    the ledger row, whose check constraints are the laws, run totals, objects, and last of all
--                the cursor: compare and set
--
-- Locks are taken in this order everywhere: install, batch, state, target, quarantine, runs.
create or replace function sluice.load_batch(
  run_id bigint, epoch bigint, batch_seq bigint, "cursor" jsonb, objects jsonb default '[]', retried bigint default 0,
  max_bad_ratio numeric default null, snapshot text default 'continue', spoilt_by text default null,
  repair boolean default false)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v        record;
  v_state  sluice.etl_state;
  v_ledger sluice.batches;
begin
  perform sluice._advance_batch('transformed', 'loaded');
  select b.*, c.target, c.batch_keys_sql,
    -- Looked up, not joined, as in begin_batch; null if it was dropped meanwhile.
    (select o.retain_raw from sluice.pipelines o where o.pipeline_id = b.owner_id) as retain_raw into strict v
  from pg_temp.sluice_batch b cross join pg_temp.sluice_compiled c;

  -- Separate statements: one that both locks and reads would read the state as it was before the wait.
  v_state := sluice._lock_state(v.pipeline_id, load_batch.epoch, load_batch.batch_seq);
  perform sluice._lock_target(v.target);

  if load_batch.repair then
    perform sluice._distrust_edited_rows();
  end if;
  v_ledger := sluice._load_rows();
  v_ledger.batch_seq     := load_batch.batch_seq;
  v_ledger.run_id        := load_batch.run_id;
  v_ledger.cursor_before := v_state.cursor;
  v_ledger.cursor_after  := load_batch."cursor";
  v_ledger.objects       := load_batch.objects;
  v_ledger.retried       := load_batch.retried;
  if load_batch.objects <> '[]' then
    v_ledger.note := sluice._lost_columns(v.pipeline_id, v_state.cursor, load_batch.objects);
  end if;
  perform sluice._check_threshold(v_ledger, load_batch.max_bad_ratio);
  perform sluice._write_quarantine();
  perform sluice._resolve_loaded();
  if v.retain_raw is not null then
    perform sluice._retain_batch(v.owner_id, v.batch_id);
  end if;
  if v.batch_keys_sql is not null then
    perform sluice._note_full_read(v_ledger, load_batch.snapshot, load_batch.spoilt_by, v.batch_keys_sql);
  end if;
  if v.fields is not null and v.owner_id = v.pipeline_id then
    perform sluice._note_fields(v_ledger, v.fields);
  end if;
  return sluice._commit_ledger(v_ledger, load_batch.epoch);
end
$$;

comment on function sluice.load_batch(bigint, bigint, bigint, jsonb, jsonb, bigint, numeric, text, text, boolean) is
$$Last step of a batch: locks the pipeline's state (55P03 when another session has held it for 5 seconds, see
evict_loader), checks the fence (SL001 deposed, SL002 out of sequence), merges, quarantines (SL003 beyond
max_bad_ratio), balances the books (SL004), writes the ledger and moves the cursor. Commit only after its answer was
read.
cursor: up to where the source has been read. objects: files and objects that this batch moved.
max_bad_ratio: in place of the pipeline's own.
snapshot: what the batch is to a complete read of the source, if missing rows are deleted or marked: begin (its first
  records), continue, or ignore (records from elsewhere). spoilt_by: why nothing can be concluded from that read.
repair: also rewrites rows that were edited behind the tool's back.$$;
