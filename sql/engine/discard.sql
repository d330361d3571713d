create or replace function sluice.discard(pipeline text, quarantine_ids bigint[] default null, reason text default null)
returns bigint
language plpgsql volatile
set search_path = ''
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(discard.pipeline);
  v_count    bigint;
begin
  if coalesce(btrim(discard.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'discard needs a reason',
      hint = 'reason => ''duplicates of the April export'': it stays with the records';
  end if;
  update sluice.quarantine q set status = 'discarded', reason = discard.reason, closed_at = now(), closed_by = session_user
  where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open'
    and (discard.quarantine_ids is null or q.quarantine_id = any (discard.quarantine_ids));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

comment on function sluice.discard(text, bigint[], text) is
  'Closes open quarantined records for good, with a reason; their payloads are kept. quarantine_ids: only these, all of the pipeline when left out. Returns how many.';
