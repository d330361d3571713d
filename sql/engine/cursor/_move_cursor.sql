create or replace function sluice._move_cursor(p_pipeline_id integer, p_cursor jsonb)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  -- A new epoch deposes a run in progress: it reads from where the state no longer is.
  update sluice.etl_state s set
    epoch = s.epoch + 1, batch_seq = s.batch_seq + 1, cursor = p_cursor, updated_at = now()
  where s.pipeline_id = p_pipeline_id;
  update sluice.pipelines p set backfill_finished_at = null
  where p.pipeline_id = p_pipeline_id and p.backfill_finished_at is not null;
$$;

comment on function sluice._move_cursor(integer, jsonb) is
  'Moves the cursor by hand, behind a ledger entry that the caller has written under the lock of the state.';
