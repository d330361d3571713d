create or replace function sluice.preview_rewind(
  pipeline text, to_batch bigint default null, to_start boolean default false, object text default null,
  to_time timestamptz default null)
returns table (batch bigint, committed_at timestamptz, run bigint, version integer, records bigint, origins text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(preview_rewind.pipeline);
  v_goal     record := sluice._rewind_goal(v_pipeline, preview_rewind.to_batch, preview_rewind.to_start,
    preview_rewind.object, preview_rewind.to_time);
begin
  return query
  select a.batch_id, a.committed_at, a.run_id, a.version, a.records, a.origins
  from sluice._read_again(v_pipeline.pipeline_id, v_goal.batch_seq, preview_rewind.object) a;
end
$$;

comment on function sluice.preview_rewind(text, bigint, boolean, text, timestamptz) is
$$Shows what sluice.rewind would have read again, changing nothing: the batches, oldest first, and how many of their
records (a batch of several files may lie on both sides). The goal is given as there: to_batch, to_time, to_start,
object. It goes by the ledger: what the source has changed or deleted since, and what was never read, is not in it.$$;
