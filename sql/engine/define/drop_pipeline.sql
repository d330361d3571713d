create or replace function sluice.drop_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(drop_pipeline.pipeline);
  v_unsent   bigint := (select count(*) from sluice.outbox o where o.pipeline_id = v_pipeline.pipeline_id
    and o.state in ('unsent', 'in_flight', 'dead'));
begin
  if v_pipeline.backfill_of is not null
    and exists (select from sluice.batches b where b.pipeline_id = v_pipeline.pipeline_id
      and b.inserted + b.updated > 0) then
    raise exception using errcode = 'SL005',
      message = format('backfill %s has written rows, and its ledger says where they came from', v_pipeline.name),
      hint = 'it takes no space worth speaking of, and goes with its pipeline; to stop it for good: '
        || format('select sluice.pause_pipeline(%L)', v_pipeline.name);
  end if;
  -- Its own and those of its backfills.
  perform from sluice.etl_state s
  where s.pipeline_id in (select p.pipeline_id from sluice.pipelines p
    where v_pipeline.pipeline_id in (p.pipeline_id, p.backfill_of))
  order by s.pipeline_id for update;
  -- As every batch does, before its records and ledger: a replay locks no state.
  perform sluice._lock_target(to_regclass(v_pipeline.target));
  perform sluice._forget_chunks(array(select k.chunk_id from sluice.known_payloads k
    where k.pipeline_id = v_pipeline.pipeline_id));
  perform sluice._drop_raw_table(v_pipeline.pipeline_id, t.retained_on)
    from sluice._raw_tables(v_pipeline.pipeline_id) t;
  delete from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id;
  delete from sluice.outbox o where o.pipeline_id = v_pipeline.pipeline_id;
  delete from sluice.tombstones d
  where d.target = v_pipeline.target and not exists (select from sluice.pipelines p where p.target = d.target);
  return format('pipeline %s dropped with its state, ledger, quarantine and retained payloads; %s keeps its rows and '
    'its columns sluice_hash and sluice_batch%s', v_pipeline.name, v_pipeline.target,
    case when v_unsent > 0 then format('; %s deliveries had not been sent', v_unsent) else '' end);
end
$$;

comment on function sluice.drop_pipeline(text) is
$$Forgets a pipeline: definition, versions, state, ledger, quarantine, retained payloads, and its backfills. The target
is not touched. A run in progress is deposed. A backfill that has written rows goes only with its pipeline (SL005).$$;
