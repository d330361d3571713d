create or replace function sluice.activate_version(pipeline text, version integer)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(activate_version.pipeline);
begin
  perform sluice._compile_all(v_pipeline.pipeline_id, activate_version.version);
  perform sluice._activate(v_pipeline, activate_version.version);
  return format('pipeline %s: version %s active (was %s)', v_pipeline.name, activate_version.version,
    v_pipeline.active_version);
end
$$;

comment on function sluice.activate_version(text, integer) is
$$Makes another registered version the active one from the next batch on. It is the way back from a bad release, and the
way forward for one that was defined with activate => false. Who did it and when is in sluice.versions. SL005 when
there is no such version or it no longer fits the target. Example: select sluice.activate_version('orders', 1)$$;

-- Makes a version the active one and notes who did it, if it was not.
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
