-- The end of a complete read. The loader calls it when the source has nothing left to read, in a
-- transaction of its own that is fenced like a batch. See _note_snapshot for how it came here.
create or replace function sluice.finish_snapshot(run_id bigint, epoch bigint, batch_seq bigint, max_delete_ratio numeric default null)
returns sluice.batches
language plpgsql volatile
set search_path = ''
set row_security = off
as $$
declare
  v_pipeline sluice.pipelines;
  v_state    sluice.etl_state;
  v_snapshot sluice.snapshots;
  v_compiled record;
  v_found    record;
  v_limit    numeric;
  v_written  bigint;
  v_ledger   sluice.batches;
begin
  v_ledger.started_at := clock_timestamp();
  select 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 into
    v_ledger.extracted, v_ledger.transformed, v_ledger.filtered, v_ledger.quarantined, v_ledger.produced, v_ledger.inserted, v_ledger.updated,
    v_ledger.deleted, v_ledger.unchanged, v_ledger.stale, v_ledger.superseded, v_ledger.retried, v_ledger.known;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  select p.* into v_pipeline from sluice.runs r join sluice.pipelines p using (pipeline_id) where r.run_id = finish_snapshot.run_id;
  if not found then
    raise exception using errcode = 'SL001', message = format('deposed: run %s is not known any more', finish_snapshot.run_id),
      hint = 'its pipeline was dropped';
  end if;
  -- Shows evict_loader this session, should it be cut off with the state locked.
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline.pipeline_id);
  v_state := sluice._lock_state(v_pipeline.pipeline_id, v_pipeline.name, finish_snapshot.epoch, finish_snapshot.batch_seq);
  select * into v_pipeline from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id;
  select * into v_snapshot from sluice.snapshots s where s.pipeline_id = v_pipeline.pipeline_id;
  if not found or v_pipeline.missing = 'keep' then
    return v_ledger;
  end if;

  select 'no missing row was looked for: ' || o.object || ' has not been read to its end' into v_ledger.note
  from sluice.source_objects o join sluice.batches b on b.batch_id = o.last_batch_id
  where o.pipeline_id = v_pipeline.pipeline_id and not o.is_done and b.batch_seq >= v_snapshot.first_seq
  order by o.object limit 1;
  if found then
    return v_ledger;
  end if;
  v_ledger.note := sluice._snapshot_fault(v_pipeline, v_snapshot);
  if v_ledger.note is not null then
    delete from sluice.snapshots s where s.pipeline_id = v_pipeline.pipeline_id;
    v_ledger.note := format('no missing row was looked for, as nothing can be concluded from this read: %s', v_ledger.note);
    return v_ledger;
  end if;

  v_compiled := sluice._compile(v_pipeline.pipeline_id, null);
  perform sluice._check_missing(v_pipeline.name, v_pipeline.target, v_compiled.columns, v_compiled.key, v_pipeline.source, v_pipeline.missing, v_pipeline.mark_column, v_pipeline.max_delete_ratio);
  perform sluice._lock_target(v_compiled.target);
  v_found := sluice._find_missing(v_pipeline, v_compiled.target, v_compiled.key, v_snapshot.began_at);
  v_limit := coalesce(finish_snapshot.max_delete_ratio, v_pipeline.max_delete_ratio);
  if v_found.missing > v_limit * v_found.held then
    raise exception using errcode = 'SL008',
      message = format('pipeline "%s": %s of its %s rows in %s are not in the source any more: %s%% (limit %s%%)', v_pipeline.name, v_found.missing, v_found.held,
        v_pipeline.target, round(100.0 * v_found.missing / v_found.held, 1), trim_scale(100 * v_limit)),
      detail = 'none of them was ' || case v_pipeline.missing when 'delete' then 'deleted' else 'marked' end || '; the batches of the run stay loaded',
      hint = format('check that the source was complete; if the rows are really gone, say so once with "sluice run %s --max-delete-ratio 1", or raise max_delete_ratio', v_pipeline.name);
  end if;

  v_ledger.batch_id := nextval('sluice.batch_id');
  v_written := 0;
  if v_found.missing + v_found.back > 0 then
    perform sluice._capture_missing(v_compiled.target, v_compiled.columns, v_compiled.key, v_pipeline.mark_column, v_ledger.batch_id);
    v_written := sluice._remove_missing(v_compiled.target, v_compiled.key, v_compiled.order_by, v_pipeline.mark_column, v_compiled.search_path, v_ledger.batch_id);
    if v_written <> v_found.missing + v_found.back then
      perform sluice._refuse_partial(v_compiled.target, v_found.missing + v_found.back, v_written);
    end if;
  end if;
  delete from sluice.snapshots s where s.pipeline_id = v_pipeline.pipeline_id;

  v_ledger.pipeline_id   := v_pipeline.pipeline_id;
  v_ledger.batch_seq     := finish_snapshot.batch_seq;
  v_ledger.run_id        := finish_snapshot.run_id;
  v_ledger.kind          := 'snapshot';
  v_ledger.version       := v_compiled.version;
  v_ledger.cursor_before := v_state.cursor;
  v_ledger.cursor_after  := v_state.cursor;
  if v_pipeline.missing = 'delete' then
    v_ledger.deleted     := v_written;
  else
    v_ledger.updated     := v_written;
  end if;
  v_ledger.produced      := v_written;
  return sluice._commit_ledger(v_ledger, finish_snapshot.epoch);
end
$$;

comment on function sluice.finish_snapshot(bigint, bigint, bigint, numeric) is
  'Ends a complete read of the source, of a pipeline that does not keep missing rows: deletes or marks the rows it loaded whose key no record brought, takes the mark off those that came back, and writes a ledger row of kind snapshot (deleted, updated). Called in a transaction of its own when the source has nothing left to read; fenced as load_batch is. Where nothing can be concluded, nothing is written: no batch_id, and note says why. SL008 when more than max_delete_ratio of the rows would go: then the read stays as it is, and calling again with a higher max_delete_ratio ends it.';
