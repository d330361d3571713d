create or replace function sluice.drop_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = ''
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(drop_pipeline.pipeline);
begin
  perform from sluice.etl_state s where s.pipeline_id = v_pipeline.pipeline_id for update;
  perform sluice._forget_chunks(array(select k.chunk_id from sluice.known_payloads k where k.pipeline_id = v_pipeline.pipeline_id));
  delete from sluice.tombstones d
  where d.target = v_pipeline.target
    and not exists (select from sluice.pipelines p where p.target = v_pipeline.target and p.pipeline_id <> v_pipeline.pipeline_id);
  delete from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id;
  return format('pipeline %s dropped with its state, ledger and quarantine; %s keeps its rows and its columns sluice_hash and sluice_batch', v_pipeline.name, v_pipeline.target);
end
$$;

comment on function sluice.drop_pipeline(text) is
  'Forgets a pipeline: definition, versions, state, ledger, quarantine. The target is not touched. A run in progress is deposed.';
