create or replace function sluice._refuse_deposed(p_pipeline_id integer, p_epoch bigint, p_current bigint)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_epoch is distinct from p_current then
    raise exception using errcode = 'SL001',
      message = format('deposed: %s', coalesce(
        (select format('run %s of pipeline %s took over at %s', r.run_id, p.name, r.started_at)
         from sluice.runs r join sluice.pipelines p using (pipeline_id)
         where r.pipeline_id = p_pipeline_id and r.epoch = p_current),
        (select format('the state of pipeline %s was moved by hand', p.name)
         from sluice.pipelines p where p.pipeline_id = p_pipeline_id),
        'the pipeline was dropped')),
      hint = 'nothing of this batch was committed; whoever holds the pipeline now reads its records again';
  end if;
end
$$;

comment on function sluice._refuse_deposed(integer, bigint, bigint) is
  'The fence: refuses (SL001) a run whose epoch is not the current one any more.';
