create or replace function sluice._follows_rewind_or_skip(p_pipeline_id integer, p_batch_seq bigint)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Behind a rewind that left nothing everything follows. The objects are still as it left them.
  select exists (
    select from sluice.batches b
    where b.pipeline_id = p_pipeline_id and b.batch_seq = p_batch_seq - 1
      and (b.kind = 'skip' or b.kind = 'rewind' and (b.cursor_after is not null
        or exists (select from sluice.source_objects o where o.pipeline_id = p_pipeline_id))))
$$;

comment on function sluice._follows_rewind_or_skip(integer, bigint) is
$$Whether the ledger entry before this one, which is not written yet, moved the cursor without loading anything, so that
what follows is only a part of the source.$$;
