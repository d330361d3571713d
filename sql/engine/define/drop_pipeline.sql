create or replace function sluice.drop_pipeline(pipeline text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(drop_pipeline.pipeline);
  v_unsent   bigint := (select count(*) from sluice.outbox o where o.pipeline_id = v_pipeline.pipeline_id
    and o.state in ('unsent', 'in_flight', 'dead'));
  v_stopped  bigint;
  v_targets  text   := (select string_agg(
    t.target || ' keeps its rows and its columns sluice_hash and sluice_batch', '; ')
    from sluice._targets_of(v_pipeline) t);
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
  -- Like every batch, before its records and ledger: a replay locks no state.
  perform sluice._lock_target(to_regclass(v_pipeline.target));
  perform sluice._forget_chunks(array(select k.chunk_id from sluice.known_payloads k
    where k.pipeline_id = v_pipeline.pipeline_id));
  delete from sluice.raw_days d where d.pipeline_id = v_pipeline.pipeline_id;
  perform sluice._note_unknown_batches(t.as_only) from sluice._targets_of(v_pipeline) t;
  -- While they have an owner.
  delete from sluice.outbox o where o.pipeline_id = v_pipeline.pipeline_id;
  -- Stops are of the person, not of the pipeline.
  delete from sluice.tombstones d
  where d.target = v_pipeline.target and not d.is_final and not exists (
    select from sluice.pipelines p
    where p.target = d.target and v_pipeline.pipeline_id not in (p.pipeline_id, coalesce(p.backfill_of, 0)));
  delete from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id;
  select count(*) into v_stopped from sluice.tombstones d where d.target = v_pipeline.target and d.is_final;
  return format('pipeline %s dropped with its state, ledger, quarantine and retained payloads; %s%s%s',
    v_pipeline.name, v_targets,
    case when v_stopped > 0 then format('; %s erased keys stay stopped there', v_stopped) else '' end,
    case when v_unsent > 0 then format('; %s deliveries had not been sent', v_unsent) else '' end);
end
$$;

comment on function sluice.drop_pipeline(text) is
$$Forgets a pipeline: definition, versions, state, ledger, quarantine, retained payloads, and its backfills. The target
keeps its rows and the stops of sluice.erase, but the next pipeline to load it writes each row anew when it comes again,
as nothing proves any longer how it got there. A run in progress is deposed. A backfill that has written rows goes only
with its pipeline (SL005).$$;

-- The rows that a pipeline wrote outlive its ledger. Batches of one pipeline that follow each other in the target
-- become one range.
create or replace function sluice._note_unknown_batches(p_pipeline sluice.pipelines)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.unknown_batches (target, pipeline, batch_ids)
  select p_pipeline.target, p_pipeline.name, range_agg(int8range(island.first_id, island.last_id, '[]'))
  from (
    select min(x.batch_id) as first_id, max(x.batch_id) as last_id
    from (
      select b.batch_id, d.is_dropped, row_number() over (order by b.batch_id)
        - row_number() over (partition by d.is_dropped order by b.batch_id) as number
      from sluice.pipelines p join sluice._all_batches() b using (pipeline_id)
      cross join lateral (
        select p.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id)) as is_dropped) d
      where sluice._loads(p, p_pipeline.target)) x
    where x.is_dropped group by x.number) island
  having count(*) > 0;
  -- What sessions have compiled for other pipelines still trusts those rows.
  update sluice.pipelines p set updated_at = now() where p.target = p_pipeline.target;
$$;
