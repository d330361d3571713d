create or replace function sluice._check_skippable(p_pipeline sluice.pipelines, p_object text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kind text := p_pipeline.source ->> 'kind';
begin
  if v_kind not in ('file', 'object') then
    raise exception using errcode = 'SL005', message = format('the source of pipeline %s has no files or objects', p_pipeline.name),
      hint = 'pages => 1 passes over the page in hand';
  end if;
  if exists (select from sluice.source_objects o where o.pipeline_id = p_pipeline.pipeline_id and o.object = p_object) then
    return;
  end if;
  if (v_kind = 'object') <> (p_object ~ '^[a-z0-9]+://') or p_object in ('-', '') then
    raise exception using errcode = 'SL005', message = format('%s cannot be the name of %s of pipeline %s', to_json(p_object), case v_kind when 'file' then 'a file' else 'an object' end, p_pipeline.name),
      hint = format('names are as the path has them: %s', case v_kind when 'file' then coalesce((p_pipeline.source ->> 'path'), '') else p_pipeline.source ->> 'url' end);
  end if;
end
$$;

comment on function sluice._check_skippable(sluice.pipelines, text) is
  'Refuses (SL005) what cannot be the name of a file or object of the pipeline.';
