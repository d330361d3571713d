create or replace function sluice._restore_objects(p_pipeline_id integer, p_batch_seq bigint)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
  v_base bigint := coalesce((
    select max(b.batch_seq) from sluice.batches b
    where b.pipeline_id = p_pipeline_id and b.kind = 'rewind' and b.batch_seq <= p_batch_seq), 0);
begin
  delete from sluice.source_objects where pipeline_id = p_pipeline_id;
  -- A rewind's entry holds the state of all objects; each load since says what it moved.
  insert into sluice.source_objects (pipeline_id, object, identity, position, is_done, last_batch_id)
  select distinct on (x ->> 'object') p_pipeline_id, x ->> 'object', x -> 'identity', x -> 'position', (x ->> 'is_done')::boolean, b.batch_id
  from sluice.batches b, jsonb_array_elements(b.objects) x
  where b.pipeline_id = p_pipeline_id and b.batch_seq between v_base and p_batch_seq
  order by x ->> 'object', b.batch_seq desc;
end
$$;

comment on function sluice._restore_objects(integer, bigint) is
  'Sets files and objects back to what the ledger says they were after a batch.';
