create or replace function sluice._version_targets(p_pipeline_id integer, p_version integer)
returns table (number integer, version integer, target text, function text, columns text[], key text[], order_by text,
  parent text[], children text, search_path text, function_text text, sha256 text, input_definition text,
  is_repeatable boolean)
language plpgsql stable
rows 2 -- by a thousand a plan would read all functions of the database to find its own
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
-- plpgsql keeps the plan; a look at all pipelines asks for each.
begin
  return query
  select 1, t.version, p.target, t.function, t.columns, t.key, t.order_by, null::text[], null::text, t.search_path,
    t.function_text, t.sha256, t.input_definition, t.is_repeatable
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = coalesce(p_version, p.active_version)
  where p.pipeline_id = p_pipeline_id
  union all
  select a.number, a.version, a.target, a.function, a.columns, a.key, null, a.parent, a.children, t.search_path,
    a.function_text, a.sha256, t.input_definition, false
  from sluice.pipelines p
  join sluice.also_targets a on a.pipeline_id = p.pipeline_id and a.version = coalesce(p_version, p.active_version)
  join sluice.transforms t on t.pipeline_id = a.pipeline_id and t.version = a.version
  where p.pipeline_id = p_pipeline_id;
end
$$;

comment on function sluice._version_targets(integer, integer) is
$$The targets of a version (null: the active one), each with its transform; number 1 is the first. None where there is
no such version.$$;

-- The tables that a pipeline has loaded in any version, the first target first; each with the pipeline as if it were
-- the only one.
create or replace function sluice._targets_of(p_pipeline sluice.pipelines)
returns table (target text, is_first boolean, as_only sluice.pipelines)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_pipeline.target, true, p_pipeline
  union all
  select x.target, false, sluice._as_if_only(p_pipeline, x.target)
  from (
    select a.target, min(a.number) as number from sluice.also_targets a
    where a.pipeline_id = p_pipeline.pipeline_id and a.target <> p_pipeline.target group by a.target order by 2, 1) x
$$;

create or replace function sluice._as_if_only(p_pipeline sluice.pipelines, p_target text)
returns sluice.pipelines
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_populate_record(p_pipeline, jsonb_build_object('target', p_target, 'deliver',
    case when p_target = p_pipeline.target then p_pipeline.deliver else p_pipeline.also_deliver -> p_target end))
$$;

-- Whether a pipeline, or the one that it is a backfill of, loads a table in any of its versions.
create or replace function sluice._loads(p_pipeline sluice.pipelines, p_target text)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_pipeline.target = p_target or exists (
    select from sluice.also_targets a
    where a.pipeline_id = coalesce(p_pipeline.backfill_of, p_pipeline.pipeline_id) and a.target = p_target)
$$;

-- A pipeline as if one of its targets were the only one: the first unless another is named (SL005 if it is not one of
-- them).
create or replace function sluice._as_only_target(p_pipeline sluice.pipelines, p_target text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found sluice.pipelines;
begin
  if p_target is null then
    return p_pipeline;
  end if;
  select (t.as_only).* into v_found from sluice._targets_of(p_pipeline) t where t.target = p_target;
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s has no target %s', p_pipeline.name, p_target),
      hint = 'it has ' || (select string_agg(t.target, ', ') from sluice._targets_of(p_pipeline) t);
  end if;
  return v_found;
end
$$;

-- A target as the versions of a pipeline load it.
create or replace function sluice._versions_of_target(p_pipeline_id integer, p_target text)
returns table (version integer, columns text[], key text[], search_path text, order_by text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.version, v.columns, v.key, v.search_path, v.order_by
  from sluice.transforms t cross join lateral sluice._version_targets(t.pipeline_id, t.version) v
  where t.pipeline_id = p_pipeline_id and v.target = p_target
$$;

-- The only target of a pipeline as its active version loads it; else the newest version that does.
create or replace function sluice._latest_version(
  p_only sluice.pipelines, out columns text[], out key text[], out search_path text, out order_by text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.columns, t.key, t.search_path, t.order_by
  from sluice._versions_of_target(p_only.pipeline_id, p_only.target) t
  order by t.version = p_only.active_version desc, t.version desc limit 1
$$;

create or replace function sluice._refuse_unknown_version(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'SL005',
    message = format('pipeline %s has no version %s', p_pipeline.name, p_version),
    hint = 'it has ' || (
      select string_agg(t.version::text, ', ' order by t.version) from sluice.transforms t
      where t.pipeline_id = p_pipeline.pipeline_id);
end
$$;
