create or replace function sluice._commit_ledger(p_ledger sluice.batches, p_epoch bigint)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ledger sluice.batches := sluice._write_ledger(p_ledger);
begin
  perform sluice._note_objects(v_ledger.pipeline_id, v_ledger.objects, v_ledger.batch_id);

  -- Last of all, and checked: compare and set. A commit that follows an error swallowed
  -- anywhere before would report success for a rollback; this makes such a batch fail here.
  update sluice.etl_state set batch_seq = v_ledger.batch_seq, cursor = v_ledger.cursor_after, updated_at = now()
  where pipeline_id = v_ledger.pipeline_id and epoch = p_epoch and batch_seq = v_ledger.batch_seq - 1;
  if not found then
    raise exception using errcode = 'SL001',
      message = format('deposed: the state of pipeline %s moved under a lock', v_ledger.pipeline_id);
  end if;
  return v_ledger;
end
$$;

comment on function sluice._commit_ledger(sluice.batches, bigint) is
  'Writes the ledger row, the state of files and objects, and moves the cursor.';
