create or replace function sluice._is_behind_a_jump(p_pipeline_id integer, p_batch_seq bigint)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Behind a rewind to the start everything follows.
  select exists (
    select from sluice.batches b
    where b.pipeline_id = p_pipeline_id and b.batch_seq = p_batch_seq - 1
      and (b.kind = 'skip' or b.kind = 'rewind' and (b.cursor_after is not null or b.objects <> '[]')))
$$;

comment on function sluice._is_behind_a_jump(integer, bigint) is
  'Whether the ledger entry before this one moved the cursor without loading anything, so that what follows is only a part of the source.';
