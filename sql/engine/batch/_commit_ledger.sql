create or replace function sluice._commit_ledger(p_ledger sluice.batches, p_epoch bigint)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ledger sluice.batches := sluice._write_ledger(p_ledger);
begin
  perform sluice._note_objects(v_ledger.pipeline_id, v_ledger.objects, v_ledger.batch_id);

  -- Last of all, and checked: compare and set. A commit that follows an error swallowed
  -- anywhere before would report success for a rollback; this makes such a batch fail here.
  update sluice.etl_state set batch_seq = v_ledger.batch_seq, cursor = v_ledger.cursor_after, updated_at = now()
  where pipeline_id = v_ledger.pipeline_id and epoch = p_epoch and batch_seq = v_ledger.batch_seq - 1;
  if not found then
    raise exception using errcode = 'SL001',
      message = format('deposed: the state of pipeline %s moved under a lock', v_ledger.pipeline_id);
  end if;
  return v_ledger;
end
$$;

comment on function sluice._commit_ledger(sluice.batches, bigint) is
  'Writes the ledger row, the state of files and objects, and moves the cursor.';

-- Writes the ledger row; its check constraints are the books (SL004). From now on its version cannot be changed, nor
-- that of the pipeline it is a backfill of.
create or replace function sluice._write_ledger(p_batch sluice.batches)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch sluice.batches := p_batch;
begin
  v_batch.recorded_by := session_user;
  v_batch.objects := coalesce(v_batch.objects, '[]');
  v_batch.origins := coalesce(v_batch.origins, '[]');
  v_batch.retried := coalesce(v_batch.retried, 0);
  v_batch.committed_at := sluice._ledger_time(v_batch.pipeline_id);
  begin
    insert into sluice.batches select v_batch.*;
  exception when check_violation then
    raise exception using errcode = 'SL004',
      message = format('the books of batch %s do not balance: %s',
        coalesce(v_batch.batch_seq, v_batch.batch_id), to_jsonb(v_batch) - 'objects'),
      hint = 'nothing of this batch was committed; this is a bug in the engine, please report it';
  end;

  update sluice.transforms t set first_used_at = now()
  from sluice.pipelines p
  where p.pipeline_id = v_batch.pipeline_id and t.pipeline_id in (p.pipeline_id, p.backfill_of)
    and t.version = v_batch.version and t.first_used_at is null;
  return v_batch;
end
$$;

-- The time of what is added to the ledger. Arrivals are compared by it, so it never goes back for a target, whatever
-- the server's clock does, or that of a server which took over.
create or replace function sluice._ledger_time(p_pipeline_id integer)
returns timestamptz
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select greatest(now(), clock_timestamp(), (
    select max(l.committed_at) + interval '1 microsecond'
    from sluice.pipelines p
    join sluice.pipelines o on o.target = p.target
    cross join lateral (
      select b.committed_at from sluice.batches b where b.pipeline_id = o.pipeline_id
      order by b.committed_at desc limit 1) l
    where p.pipeline_id = p_pipeline_id))
$$;

-- Notes the state in which an entry of the ledger left files and objects.
create or replace function sluice._note_objects(p_pipeline_id integer, p_objects jsonb, p_batch_id bigint)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.source_objects as o (pipeline_id, object, identity, position, is_done, last_batch_id)
  select p_pipeline_id, x ->> 'object', x -> 'identity', x -> 'position', (x ->> 'is_done')::boolean, p_batch_id
  from jsonb_array_elements(p_objects) x
  on conflict (pipeline_id, object) do update set
    identity = excluded.identity, position = excluded.position, is_done = excluded.is_done,
    last_batch_id = excluded.last_batch_id, updated_at = now()
$$;
