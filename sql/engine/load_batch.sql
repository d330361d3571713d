create or replace function sluice.load_batch(
  run_id bigint, epoch bigint, batch_seq bigint, "cursor" jsonb, objects jsonb default '[]', retried bigint default 0,
  max_bad_ratio numeric default null)
returns sluice.batches
language plpgsql volatile
set search_path = ''
set row_security = off
as $$
declare
  v_batch         record;
  v_state         sluice.etl_state;
  v_ledger        sluice.batches;
  v_merged        record;
  v_counted       record;
  v_known         record;
  v_yielded       record;
  v_suspects      integer[];
  v_check         text;
  v_is_as_counted boolean;
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
  perform pg_advisory_xact_lock(sluice._lock_class('target'), (v_batch.target::bigint & 2147483647)::integer);

  v_known := sluice._confirm_known(v_batch.target, v_batch.filenode);
  v_is_as_counted := v_known.is_as_before;
  -- Parents may have arrived since the transform looked: in batches committed meanwhile.
  select array_agg(f.ordinal) into v_suspects from pg_temp.sluice_faults f where f.is_suspect;
  if v_suspects is not null then
    v_is_as_counted := false;
    delete from pg_temp.sluice_faults where is_suspect;
    update pg_temp.sluice_rows set sluice_state = null where sluice_ordinal = any (v_suspects);
    foreach v_check in array v_batch.reference_checks loop
      perform sluice._check_reference(v_check, v_suspects);
    end loop;
    perform sluice._mark_faulty_rows();
    perform sluice._mark_superseded_rows(v_batch.superseded_sql);
  end if;
  v_yielded := sluice._yield_known(v_batch.matched_sql);
  if not v_yielded.is_as_before then
    v_is_as_counted := false;
    v_known.rows := v_yielded.rows;
  end if;

  v_ledger.batch_id      := v_batch.batch_id;
  v_ledger.pipeline_id   := v_batch.pipeline_id;
  v_ledger.batch_seq     := load_batch.batch_seq;
  v_ledger.run_id        := load_batch.run_id;
  v_ledger.kind          := 'load';
  v_ledger.version       := v_batch.version;
  v_ledger.cursor_before := v_state.cursor;
  v_ledger.cursor_after  := load_batch."cursor";
  v_ledger.objects       := load_batch.objects;
  v_ledger.started_at    := v_batch.started_at;
  v_ledger.retried       := load_batch.retried;

  v_merged := sluice._merge_rows(v_batch.batch_id);
  -- The transform's counts hold as long as no record left the batch or came back.
  if v_is_as_counted and (select count(*) from pg_temp.sluice_faults) = v_batch.quarantined then
    v_counted := v_batch;
  else
    v_counted := sluice._count_records(v_batch.staged);
  end if;
  v_ledger.extracted   := v_counted.extracted;
  v_ledger.transformed := v_counted.transformed;
  v_ledger.filtered    := v_counted.filtered;
  v_ledger.quarantined := v_counted.quarantined;
  v_ledger.produced    := v_counted.produced;
  v_ledger.inserted    := v_merged.inserted;
  v_ledger.updated     := v_merged.updated;
  v_ledger.deleted     := v_merged.deleted;
  v_ledger.unchanged   := v_merged.unchanged + v_known.rows;
  v_ledger.stale       := v_merged.stale;
  -- Of several records with the same row the last is the one that counts.
  v_ledger.superseded  := v_counted.superseded + v_counted.known - v_known.rows;
  v_ledger.known       := v_counted.known;

  if v_batch.made_for is not null then
    perform sluice._remember(v_batch.pipeline_id, v_batch.made_for, v_counted.transformed = v_counted.produced, v_batch.remember_sql, v_merged.places);
  end if;
  perform sluice._check_threshold(v_batch.pipeline_id, v_ledger, load_batch.max_bad_ratio);
  perform sluice._write_quarantine(v_batch.pipeline_id, v_batch.version, v_batch.batch_id, v_batch.origins);
  return sluice._commit_ledger(v_ledger, load_batch.epoch);
end
$$;

comment on function sluice.load_batch(bigint, bigint, bigint, jsonb, jsonb, bigint, numeric) is
  'Last step of a batch: locks the pipeline''s state, checks the fence (SL001 deposed, SL002 out of sequence), merges, quarantines (SL003 beyond max_bad_ratio), balances the books (SL004), writes the ledger and moves the cursor. Commit only after its answer was read. cursor: up to where the source has been read; objects: files and objects moved by this batch. max_bad_ratio: in place of the pipeline''s own.';
