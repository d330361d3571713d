create or replace function sluice._note_objects(p_pipeline_id integer, p_objects jsonb, p_batch_id bigint)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.source_objects as o (pipeline_id, object, identity, position, is_done, last_batch_id)
  select p_pipeline_id, x ->> 'object', x -> 'identity', x -> 'position', (x ->> 'is_done')::boolean, p_batch_id
  from jsonb_array_elements(p_objects) x
  on conflict (pipeline_id, object) do update set
    identity = excluded.identity, position = excluded.position, is_done = excluded.is_done,
    last_batch_id = excluded.last_batch_id, updated_at = now()
$$;

comment on function sluice._note_objects(integer, jsonb, bigint) is
  'Notes the state in which an entry of the ledger left files and objects.';
