create or replace function sluice._activate(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update sluice.pipelines p set active_version = p_version, updated_at = now()
  where p.pipeline_id = p_pipeline.pipeline_id;
  -- Defining the same again is no activation.
  insert into sluice.activations (pipeline_id, version, previous_version)
  select p_pipeline.pipeline_id, p_version, last.version
  from (values (true)) here
  left join lateral (
    select a.version from sluice.activations a where a.pipeline_id = p_pipeline.pipeline_id
      order by a.activation_id desc limit 1) last on true
  where last.version is distinct from p_version;
end
$$;

comment on function sluice._activate(sluice.pipelines, integer) is
  'Makes a version the active one and notes who did it, if it was not.';
