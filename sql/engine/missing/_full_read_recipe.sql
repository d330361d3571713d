create or replace function sluice._full_read_recipe(p_pipeline_id integer, p_version integer)
returns uuid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(substr(sha256(convert_to(
    concat_ws('/', p.source, p.target, t.version, t.sha256, t.key), 'UTF8')), 1, 16), 'hex')::uuid
  from sluice.pipelines p join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p_version
  where p.pipeline_id = p_pipeline_id
$$;

comment on function sluice._full_read_recipe(integer, integer) is
  'Identifies what a full read is made of: the source, the version of the transform, the key.';
