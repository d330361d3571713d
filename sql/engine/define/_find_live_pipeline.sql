create or replace function sluice._find_live_pipeline(p_name text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(p_name);
  v_name     text := (select p.name from sluice.pipelines p where p.pipeline_id = v_pipeline.backfill_of);
begin
  if v_name is not null then
    raise exception using errcode = 'SL005',
      message = format('%s is a backfill of pipeline %s', v_pipeline.name, v_name),
      hint = format('name %s, to which its versions and quarantined records belong', v_name)
        || '; the view sluice.backfills shows how it went';
  end if;
  return v_pipeline;
end
$$;

comment on function sluice._find_live_pipeline(text) is
  'The pipeline of that name; SL005 for a backfill, where only the pipeline itself will do.';
