create or replace function sluice.pause_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(pause_pipeline.pipeline);
begin
  update sluice.pipelines p set is_paused = true, updated_at = now() where p.pipeline_id = v_pipeline.pipeline_id;
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  return format('pipeline %s paused', v_pipeline.name);
end
$$;

comment on function sluice.pause_pipeline(text) is
  'No batch of the pipeline begins until it is resumed; those that have begun are finished.';

create or replace function sluice.resume_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(resume_pipeline.pipeline);
begin
  update sluice.pipelines p set is_paused = false, updated_at = now() where p.pipeline_id = v_pipeline.pipeline_id;
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  return format('pipeline %s resumed', v_pipeline.name);
end
$$;

comment on function sluice.resume_pipeline(text) is
  'Lets a paused pipeline run again.';

-- Refuses (SL007) a pipeline that is paused, or a backfill whose pipeline is.
create or replace function sluice._refuse_paused(p_pipeline sluice.pipelines)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_paused text := case when p_pipeline.is_paused then p_pipeline.name
    else (select p.name from sluice.pipelines p where p.pipeline_id = p_pipeline.backfill_of and p.is_paused) end;
begin
  if v_paused is not null then
    raise exception using errcode = 'SL007',
      message = format('pipeline %s is paused', v_paused) || case
        when v_paused <> p_pipeline.name then ', and its backfills with it' else '' end,
      hint = format('sluice resume %s, or select sluice.resume_pipeline(%1$L)', v_paused);
  end if;
end
$$;
