create or replace function sluice._version_targets(p_pipeline_id integer, p_version integer)
returns table (number integer, version integer, target text, function text, columns text[], key text[], order_by text,
  parent text[], children text, search_path text, function_text text, sha256 text, input_definition text,
  is_repeatable boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
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
  where p.pipeline_id = p_pipeline_id
$$;

comment on function sluice._version_targets(integer, integer) is
$$The targets of a version (null: the active one), each with its transform; number 1 is the first. None where there is
no such version.$$;
