create or replace function sluice.activate_version(pipeline text, version integer)
returns text
language plpgsql volatile
set search_path = ''
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(activate_version.pipeline);
begin
  perform sluice._compile(v_pipeline.pipeline_id, activate_version.version);
  update sluice.pipelines p set active_version = activate_version.version, updated_at = now()
  where p.pipeline_id = v_pipeline.pipeline_id;
  return format('pipeline %s: version %s active (was %s)', v_pipeline.name, activate_version.version, v_pipeline.active_version);
end
$$;

comment on function sluice.activate_version(text, integer) is
  'Makes another registered version the active one from the next batch on; the way back from a bad release. SL005 when there is no such version or it no longer fits the target.';
