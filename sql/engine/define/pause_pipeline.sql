create or replace function sluice.pause_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(pause_pipeline.pipeline);
begin
  update sluice.pipelines p set is_paused = true, updated_at = now() where p.pipeline_id = v_pipeline.pipeline_id;
  return format('pipeline %s paused', v_pipeline.name);
end
$$;

comment on function sluice.pause_pipeline(text) is
  'Lets no batch of the pipeline begin until it is resumed; batches begun are finished.';
