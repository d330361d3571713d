create or replace function sluice.source_state(pipeline text)
returns table (object text, identity jsonb, "position" jsonb, is_done boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select o.object, o.identity, o.position, o.is_done
  from sluice.source_objects o
  where o.pipeline_id = (sluice._find_pipeline(pipeline)).pipeline_id
$$;

comment on function sluice.source_state(text) is
  'The files and objects a pipeline has read or begun to read.';
