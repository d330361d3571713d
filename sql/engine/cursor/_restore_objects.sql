create or replace function sluice._restore_objects(p_pipeline_id integer, p_batch_seq bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from sluice.source_objects o where o.pipeline_id = p_pipeline_id;
  insert into sluice.source_objects (pipeline_id, object, identity, position, is_done, last_batch_id)
  select p_pipeline_id, a.object, a.identity, a.position, a.is_done, a.batch_id from sluice._objects_at(p_pipeline_id, p_batch_seq) a;
end
$$;

comment on function sluice._restore_objects(integer, bigint) is
  'Sets files and objects back to what the ledger says they were after a batch; 0 is the start.';
