create or replace function sluice._commit_ledger(p_batch sluice.batches, p_epoch bigint)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch sluice.batches := sluice._write_ledger(p_batch);
begin
  perform sluice._note_objects(v_batch.pipeline_id, v_batch.objects, v_batch.batch_id);

  update sluice.runs set
    batches = batches + 1, extracted = extracted + v_batch.extracted, transformed = transformed + v_batch.transformed,
    filtered = filtered + v_batch.filtered, quarantined = quarantined + v_batch.quarantined, produced = produced + v_batch.produced,
    inserted = inserted + v_batch.inserted, updated = updated + v_batch.updated, deleted = deleted + v_batch.deleted,
    unchanged = unchanged + v_batch.unchanged, stale = stale + v_batch.stale, superseded = superseded + v_batch.superseded,
    retried = retried + v_batch.retried
  where run_id = v_batch.run_id;

  -- Last of all, and checked: compare and set. A commit that follows an error swallowed
  -- anywhere before would report success for a rollback; this makes such a batch fail here.
  update sluice.etl_state set batch_seq = v_batch.batch_seq, cursor = v_batch.cursor_after, updated_at = now()
  where pipeline_id = v_batch.pipeline_id and epoch = p_epoch and batch_seq = v_batch.batch_seq - 1;
  if not found then
    raise exception using errcode = 'SL001', message = format('deposed: the state of pipeline %s moved under a lock', v_batch.pipeline_id);
  end if;
  return v_batch;
end
$$;

comment on function sluice._commit_ledger(sluice.batches, bigint) is
  'Writes the ledger row, the state of files and objects, the run''s totals, and moves the cursor.';
