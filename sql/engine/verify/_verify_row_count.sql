create or replace function sluice._verify_row_count(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_why    text := sluice._may_delete(p_pipeline);
  v_ledger record;
  v_rows   bigint;
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
begin
  is_ok := true;
  if v_why is not null then
    detail := 'not checked: ' || v_why;
    return;
  end if;
  select coalesce(sum(b.inserted), 0) as inserted, coalesce(sum(b.deleted), 0) as deleted, coalesce(sum(b.updated + b.deleted), 0) as changed into v_ledger
  from sluice.batches b where b.pipeline_id = any (v_ids);
  execute format('select count(*) from %s t join sluice.batches b on b.batch_id = t.sluice_batch where b.pipeline_id = any ($1)', p_pipeline.target)
    into v_rows using v_ids;
  -- Rows that stood there before may have been updated, and are the pipeline's since; or deleted.
  is_ok := v_rows between v_ledger.inserted - v_ledger.deleted and v_ledger.inserted + v_ledger.changed;
  detail := format('rows: %s, inserted less deleted: %s', v_rows, v_ledger.inserted - v_ledger.deleted)
    || case
      when v_rows < v_ledger.inserted - v_ledger.deleted then '; the others were deleted behind the tool''s back'
      when not is_ok then '; no batch wrote the others'
      when v_rows > v_ledger.inserted - v_ledger.deleted then '; the others stood there before and were updated'
      else '' end;
end
$$;

comment on function sluice._verify_row_count(sluice.pipelines) is
  'Whether the target holds as many rows of the pipeline as its batches inserted and did not delete. Not checked where others may delete.';
