create or replace function sluice.activate_version(pipeline text, version integer)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_was sluice.pipelines := sluice._find_own_live_pipeline(activate_version.pipeline);
  v_now sluice.pipelines;
begin
  select * into v_was from sluice.pipelines p where p.pipeline_id = v_was.pipeline_id for no key update;
  if not found then
    perform sluice._refuse_dropped(activate_version.pipeline);
  end if;
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
  if found then
    perform sluice._say_forgotten_keys(p_pipeline, p_version);
  end if;
end
$$;

-- Keys that were deleted or stopped by another version are recognised by its key, if this one returns its columns.
create or replace function sluice._say_forgotten_keys(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  for v in
    select old.key, count(*) as count
    from sluice.transforms t
    cross join lateral (
      select distinct o.key from sluice.transforms o
      where o.pipeline_id = t.pipeline_id and o.first_used_at is not null and not o.key <@ t.columns) old
    join sluice.tombstones d on d.target = p_pipeline.target
      and (d.key = '{}' or array(select jsonb_object_keys(d.key)) <@ old.key and d.key ?& old.key)
    where t.pipeline_id = p_pipeline.pipeline_id and t.version = p_version
    group by old.key
  loop
    raise notice 'pipeline %: % deleted or stopped keys of % are of (%), which version % does not return: it cannot '
      'tell their records, and loads them; let it return these columns too, or erase with stop once more',
      p_pipeline.name, v.count, p_pipeline.target, array_to_string(v.key, ', '), p_version;
  end loop;
end
$$;
