create or replace function sluice.resume_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(resume_pipeline.pipeline);
begin
  update sluice.pipelines p set is_paused = false, updated_at = now() where p.pipeline_id = v_pipeline.pipeline_id;
  return format('pipeline %s resumed', v_pipeline.name);
end
$$;

comment on function sluice.resume_pipeline(text) is
  'Lets a paused pipeline run again.';
