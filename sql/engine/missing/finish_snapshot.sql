-- The end of a full read. The loader calls it when the source has nothing left to read, in a transaction of its own
-- that is fenced like a batch. See _note_full_read for what led here.
create or replace function sluice.finish_snapshot(
  run_id bigint, epoch bigint, batch_seq bigint, max_delete_ratio numeric default null)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_pipeline sluice.pipelines;
  v_state    sluice.etl_state;
  v_read     sluice.snapshots;
  v_ledger   sluice.batches;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  select p.* into v_pipeline from sluice.runs r join sluice.pipelines p using (pipeline_id)
  where r.run_id = finish_snapshot.run_id;
  if not found then
    raise exception using errcode = 'SL001',
      message = format('deposed: run %s is not known any more', finish_snapshot.run_id),
      hint = 'its pipeline was dropped';
  end if;
  v_ledger := sluice._new_entry(v_pipeline, 'snapshot');
  -- Shows this session to evict_loader, should it be cut off while it holds the state.
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline.pipeline_id);
  v_state := sluice._lock_state(v_pipeline.pipeline_id, finish_snapshot.epoch, finish_snapshot.batch_seq);
  -- Replays note keys, too.
  perform sluice._lock_target(to_regclass(v_pipeline.target));
  select * into v_pipeline from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id;
  select * into v_read from sluice.snapshots s where s.pipeline_id = v_pipeline.pipeline_id;
  if v_pipeline.missing = 'keep'
    or not coalesce(v_read.has_records or v_read.spoilt_by is not null, false)
      and not sluice._follows_rewind_or_skip(v_pipeline.pipeline_id, finish_snapshot.batch_seq) then
    return v_ledger;
  end if;
  select format('no missing row was looked for: %s has not been read to its end', o.object) into v_ledger.note
  from sluice.source_objects o join sluice.batches b on b.batch_id = o.last_batch_id
  where o.pipeline_id = v_pipeline.pipeline_id and not o.is_done and b.batch_seq >= v_read.first_seq
  order by o.object limit 1;
  if found then
    return v_ledger;
  end if;

  v_ledger.batch_id      := nextval('sluice.batch_id');
  v_ledger.batch_seq     := finish_snapshot.batch_seq;
  v_ledger.run_id        := finish_snapshot.run_id;
  v_ledger.version       := v_pipeline.active_version;
  v_ledger.cursor_before := v_state.cursor;
  v_ledger.cursor_after  := v_state.cursor;
  v_ledger.note          := 'no missing row was looked for, as nothing can be concluded from this read: '
    || sluice._why_inconclusive(v_pipeline, v_read);
  if v_ledger.note is null then
    perform sluice._refuse_hidden_rows(v_pipeline.name, to_regclass(t.target)) from sluice._targets_of(v_pipeline) t;
    select m.written, m.targets into v_ledger.produced, v_ledger.targets
    from sluice._apply_missing(v_pipeline, v_read, v_ledger.batch_id,
      coalesce(finish_snapshot.max_delete_ratio, v_pipeline.max_delete_ratio)) m;
    if v_pipeline.missing = 'delete' then
      v_ledger.deleted := v_ledger.produced;
    else
      v_ledger.updated := v_ledger.produced;
    end if;
  end if;
  delete from sluice.snapshots s where s.pipeline_id = v_pipeline.pipeline_id;
  return sluice._commit_ledger(v_ledger, finish_snapshot.epoch);
end
$$;

comment on function sluice.finish_snapshot(bigint, bigint, bigint, numeric) is
$$Ends a full read of the source, of a pipeline that does not keep missing rows: deletes or marks the rows it loaded
whose key no record brought, takes the mark off those that came back, and writes a ledger row of kind snapshot (deleted,
updated). Where nothing can be concluded from the read, the note of that row says why, and no row is touched; without a
read or its end there is no batch_id.
Called in a transaction of its own when the source has nothing left to read; fenced as load_batch is. SL008 when more
than max_delete_ratio of the rows would go: then the read stays as it is, and calling again with a higher
max_delete_ratio ends it.$$;

-- Why nothing can be concluded from a full read that has come to its end; null if it is sound.
create or replace function sluice._why_inconclusive(p_pipeline sluice.pipelines, p_read sluice.snapshots)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_read.pipeline_id is null then 'it brought nothing' else coalesce(
    p_read.spoilt_by,
    (select format('there was a %s in the middle of it', b.kind) from sluice.batches b
     where b.pipeline_id = p_pipeline.pipeline_id and b.batch_seq >= p_read.first_seq and b.kind <> 'load'
     order by b.batch_seq limit 1),
    case when p_read.made_for <> sluice._full_read_recipe(p_pipeline.pipeline_id, p_pipeline.active_version)
      then 'the pipeline was defined anew in the middle of it' end,
    -- The row of a record in quarantine would look missing. A replay that loads it notes its key.
    (select format('records of it in quarantine: %s', count(*)) from sluice.quarantine q
     join sluice.batches b on b.batch_id = q.last_batch_id
     where q.pipeline_id = p_pipeline.pipeline_id and q.status in ('open', 'discarded', 'erased')
       and b.batch_seq >= p_read.first_seq
     having count(*) > 0),
    case when not exists (
        select from sluice.snapshot_keys k where k.pipeline_id = p_pipeline.pipeline_id and not k.is_from_elsewhere)
      then 'it brought no row at all' end) end
$$;
