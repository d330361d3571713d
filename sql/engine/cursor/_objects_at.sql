create or replace function sluice._objects_at(p_pipeline_id integer, p_batch_seq bigint)
returns table (object text, identity jsonb, "position" jsonb, is_done boolean, batch_id bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A rewind's entry holds the state of all objects; each load and skip since says what it moved.
  select distinct on (x ->> 'object') x ->> 'object', x -> 'identity', x -> 'position', (x ->> 'is_done')::boolean, b.batch_id
  from sluice.batches b, jsonb_array_elements(b.objects) x
  where b.pipeline_id = p_pipeline_id and b.batch_seq <= p_batch_seq
    and b.batch_seq >= coalesce((
      select max(r.batch_seq) from sluice.batches r
      where r.pipeline_id = p_pipeline_id and r.kind = 'rewind' and r.batch_seq <= p_batch_seq), 0)
  order by x ->> 'object', b.batch_seq desc
$$;

comment on function sluice._objects_at(integer, bigint) is
  'The files and objects of a pipeline as the ledger says they were after a batch.';
