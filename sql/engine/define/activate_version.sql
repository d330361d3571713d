create or replace function sluice.activate_version(pipeline text, version integer)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_was sluice.pipelines := sluice._find_own_live_pipeline(activate_version.pipeline);
  v_now sluice.pipelines;
begin
  select * into strict v_was from sluice.pipelines p where p.pipeline_id = v_was.pipeline_id for no key update;
  perform sluice._compile_all(v_was.pipeline_id, activate_version.version);
  perform sluice._check_policies(v_was, activate_version.version);
  perform sluice._activate(v_was, activate_version.version);
  v_now := v_was;
  v_now.active_version := activate_version.version;
  v_now := sluice._change_deliveries(v_now, activate_version.version,
    sluice._said_by_version(v_was.pipeline_id, v_was.active_version), false);
  return format('pipeline %s: version %s active (was %s)', v_was.name, v_now.active_version, v_was.active_version)
    || coalesce('; ' || sluice._changes_of_pipeline(v_was, v_now), '');
end
$$;

comment on function sluice.activate_version(text, integer) is
$$Makes another registered version the active one from the next batch on: the way back from a bad release, and the way
forward for a version defined with activate => false. Where its definition delivers rows differently, that takes effect,
too. Who did it and when is in sluice.versions. SL005 when there is no such version, or it no longer fits the target.
Example: select sluice.activate_version('orders', 1)$$;

-- Makes a version the active one, and notes who did it, unless it was already.
create or replace function sluice._activate(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update sluice.pipelines p set active_version = p_version, updated_at = now()
  where p.pipeline_id = p_pipeline.pipeline_id;
  -- Defining the same again is not an activation.
  insert into sluice.activations (pipeline_id, version, previous_version)
  select p_pipeline.pipeline_id, p_version, last.version
  from (values (true)) here
  left join lateral (
    select a.version from sluice.activations a where a.pipeline_id = p_pipeline.pipeline_id
      order by a.activation_id desc limit 1) last on true
  where last.version is distinct from p_version;
end
$$;
