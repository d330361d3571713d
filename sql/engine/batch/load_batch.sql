create or replace function sluice.load_batch(
  run_id bigint, epoch bigint, batch_seq bigint, "cursor" jsonb, objects jsonb default '[]', retried bigint default 0,
  max_bad_ratio numeric default null, snapshot text default 'continue', spoilt_by text default null)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
set row_security = off
as $$
declare
  v_batch  record;
  v_state  sluice.etl_state;
  v_ledger sluice.batches;
  v_owner  sluice.pipelines;
begin
  begin
    select * into strict v_batch from pg_temp.sluice_batch, pg_temp.sluice_compiled;
  exception when no_data_found or undefined_table then
    raise exception using errcode = 'SL002', message = 'no batch is open in this transaction',
      hint = 'begin; select * from sluice.begin_batch(...) comes first';
  end;

  -- The fence. A statement of its own: a lock and a read in one statement would read the
  -- state as it was before the wait.
  v_state := sluice._lock_state(v_batch.pipeline_id, v_batch.pipeline, load_batch.epoch, load_batch.batch_seq);
  perform sluice._lock_target(v_batch.target);

  v_ledger.batch_seq     := load_batch.batch_seq;
  v_ledger.run_id        := load_batch.run_id;
  v_ledger.cursor_before := v_state.cursor;
  v_ledger.cursor_after  := load_batch."cursor";
  v_ledger.objects       := load_batch.objects;
  v_ledger.retried       := load_batch.retried;
  v_ledger := sluice._load_rows(v_ledger);
  perform sluice._check_threshold(v_batch.pipeline_id, v_ledger, load_batch.max_bad_ratio);
  -- What a backfill sets aside, and what is retained of it, is with the rest of its pipeline.
  select o.* into v_owner from sluice.pipelines p join sluice.pipelines o on o.pipeline_id = coalesce(p.backfill_of, p.pipeline_id)
  where p.pipeline_id = v_batch.pipeline_id;
  perform sluice._write_quarantine(v_owner.pipeline_id, v_batch.version, v_batch.batch_id, v_batch.origins);
  perform sluice._resolve_loaded(v_owner.pipeline_id, v_batch.version, v_batch.batch_id, v_batch.run_started_at);
  if v_owner.retain_raw is not null then
    perform sluice._retain_batch(v_owner.pipeline_id, v_batch.batch_id);
  end if;
  if v_batch.batch_keys_sql is not null then
    perform sluice._note_full_read(v_ledger, load_batch.snapshot, load_batch.spoilt_by, v_batch.batch_keys_sql);
  end if;
  return sluice._commit_ledger(v_ledger, load_batch.epoch);
end
$$;

comment on function sluice.load_batch(bigint, bigint, bigint, jsonb, jsonb, bigint, numeric, text, text) is
  'Last step of a batch: locks the pipeline''s state, checks the fence (SL001 deposed, SL002 out of sequence), merges, quarantines (SL003 beyond max_bad_ratio), balances the books (SL004), writes the ledger and moves the cursor. Commit only after its answer was read. cursor: up to where the source has been read; objects: files and objects moved by this batch. max_bad_ratio: in place of the pipeline''s own. snapshot, spoilt_by: what the batch is to a complete read of the source, for pipelines that do not keep missing rows: begin (its first records), continue, or ignore (records from elsewhere); spoilt_by: why nothing can be concluded from that read.';
