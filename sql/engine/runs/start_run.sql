create or replace function sluice.start_run(pipeline text, loader text)
returns table (run_id bigint, epoch bigint, batch_seq bigint, "cursor" jsonb, source jsonb, version integer,
  batch_rows integer, batch_bytes integer, max_bad_ratio double precision, skips_known boolean, missing text,
  input_columns text[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(start_run.pipeline);
  v_state    sluice.etl_state;
  v_run_id   bigint;
  v_compiled sluice.compiled;
begin
  perform sluice._refuse_read_only();
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  -- Shows evict_loader this session, should it be cut off; and the wait for such a one has an end.
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline.pipeline_id);
  perform set_config('lock_timeout', '5s', true);
  perform sluice._refuse_paused(v_pipeline);
  if v_pipeline.backfill_of is not null then
    v_pipeline := sluice._follow_pipeline(v_pipeline);
  end if;
  v_compiled := (sluice._compile_all(v_pipeline.pipeline_id, null))[1];
  -- Waits for whoever has it, and reads what that one left.
  update sluice.etl_state s set epoch = s.epoch + 1, updated_at = now()
  where s.pipeline_id = v_pipeline.pipeline_id returning * into v_state;
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  -- What is of no use any more, and what never was: a stream that repeats nothing.
  perform sluice._forget_chunks(array(
    select k.chunk_id from sluice.known_payloads k
    where k.pipeline_id = v_pipeline.pipeline_id
      and (k.made_for is distinct from v_compiled.made_for or k.last_used_at < now() - interval '30 days')));
  insert into sluice.runs (pipeline_id, epoch, started_at, loader)
  values (v_pipeline.pipeline_id, v_state.epoch, sluice._ledger_time(v_pipeline.pipeline_id), start_run.loader)
  returning runs.run_id into v_run_id;
  -- What a run before it left open: its loader was killed, or is deposed by now. It ended with its last commit.
  update sluice.runs r set outcome = 'interrupted',
    finished_at = coalesce((select max(b.committed_at) from sluice.batches b where b.run_id = r.run_id), r.started_at),
    error = format('the loader died, or lost the pipeline to run %s; what it committed stands', v_run_id)
  where r.pipeline_id = v_pipeline.pipeline_id and r.run_id < v_run_id and r.finished_at is null;
  return query select v_run_id, v_state.epoch, v_state.batch_seq, v_state.cursor, v_pipeline.source,
    v_pipeline.active_version, v_pipeline.batch_rows, v_pipeline.batch_bytes, v_pipeline.max_bad_ratio::float8,
    v_compiled.made_for is not null, v_pipeline.missing, v_compiled.input_columns;
end
$$;

comment on function sluice.start_run(text, text) is
$$Begins a run of a pipeline: a new epoch, which deposes any earlier run, and the state to go on from. A run before it
that never ended is noted as interrupted. skips_known: whether digests of the payloads are of use (sluice._find_known).
missing: unless it is keep, finish_snapshot is called when the source has nothing left to read. input_columns: of a
transform that takes a row, see begin_batch. loader: who runs it, for people. Raises 55P03 when another session has
held the state for 5 seconds (see evict_loader), SL005, SL006, SL007 as begin_batch does.$$;

-- A run that could not begin, for people to see: the pipeline's definition does not fit any more.
create or replace function sluice.refuse_run(pipeline text, loader text, error text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(refuse_run.pipeline);
  v_run_id   bigint;
begin
  perform sluice._refuse_read_only();
  with state as (
    update sluice.etl_state s set epoch = s.epoch + 1, updated_at = now()
    where s.pipeline_id = v_pipeline.pipeline_id returning s.epoch)
  insert into sluice.runs (pipeline_id, epoch, loader, finished_at, outcome, error)
  select v_pipeline.pipeline_id, state.epoch, refuse_run.loader, clock_timestamp(), 'failed', refuse_run.error
  from state
  returning run_id into v_run_id;
  return v_run_id;
end
$$;

comment on function sluice.refuse_run(text, text, text) is
$$Notes a run that start_run refused, so that the status shows it as failed with its error. loader: who tried, for
people. The caller holds the pipeline.$$;
