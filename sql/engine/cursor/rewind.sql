create or replace function sluice.rewind(
  pipeline text, to_batch bigint default null, to_start boolean default false, object text default null,
  to_time timestamptz default null)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(rewind.pipeline);
  v_id       integer := v_pipeline.pipeline_id;
  v_goal     record := sluice._rewind_goal(
    v_pipeline, rewind.to_batch, rewind.to_start, rewind.object, rewind.to_time);
  v_state    sluice.etl_state;
  v_again    record;
  v_since    record;
  v_objects  sluice.source_objects[];
  v_removed  jsonb := '[]';
begin
  -- What takes long comes before the lock: the ledger up to the goal is written, and changes no more.
  select s.batch_seq, a.batches, a.records into v_again
  from sluice.etl_state s
  cross join lateral (
    select count(*) as batches, coalesce(sum(a.records), 0) as records
    from sluice._read_again(v_id, v_goal.batch_seq, rewind.object) a) a
  where s.pipeline_id = v_id;
  v_objects := array(
    select row(v_id, a.object, a.identity, a.position, a.is_done, a.batch_id, now(),
      case when (o.carried ->> 'batch_id')::bigint <> a.batch_id then o.carried end)::sluice.source_objects
    from sluice._objects_at(v_id, v_goal.batch_seq) a
    left join sluice.source_objects o on o.pipeline_id = v_id and o.object = a.object);

  select * into v_state from sluice.etl_state s where s.pipeline_id = v_id for update;
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  select count(*) as batches, coalesce(sum(b.extracted), 0) as records into v_since
  from sluice.batches b
  where b.pipeline_id = v_id and b.batch_seq > v_again.batch_seq and b.extracted > 0 and rewind.object is null;
  if v_goal.batch_seq is null then
    delete from sluice.source_objects o where o.pipeline_id = v_id and o.object = rewind.object;
    v_goal."cursor" := v_state.cursor;
    v_removed := jsonb_build_array(jsonb_build_object('object', rewind.object, 'is_removed', true));
  else
    -- The ledger says which; the entry of the rewind only where to look.
    delete from sluice.source_objects o where o.pipeline_id = v_id;
    insert into sluice.source_objects select * from unnest(v_objects);
  end if;
  insert into sluice.batches
    (batch_id, pipeline_id, batch_seq, kind, cursor_before, cursor_after, started_at, committed_at, rewound_to, note,
      objects)
  values (nextval('sluice.batch_id'), v_id, v_state.batch_seq + 1, 'rewind', v_state.cursor, v_goal."cursor", now(),
    sluice._ledger_time(v_id), v_goal.batch_seq, 'to ' || v_goal.words, v_removed);
  perform sluice._move_cursor(v_id, v_goal."cursor");
  return format('pipeline %s rewound to %s; %s', v_pipeline.name, v_goal.words, case
    when v_again.batches + v_since.batches = 0 then 'nothing that was read follows'
    else format('what follows (so far %s, %s) is read again by the next run, and unchanged rows are skipped',
      sluice._number_of(v_again.batches + v_since.batches, 'batch', 'batches'),
      sluice._number_of(v_again.records + v_since.records, 'record', 'records')) end);
end
$$;

comment on function sluice.rewind(text, bigint, boolean, text, timestamptz) is
$$Sets the live cursor back. Exactly one goal (SL005):
to_batch: the end of a batch, its batch_id.
to_time: what was committed at a time.
to_start: the start of everything.
object: the start of one file or object, also one that was skipped.
sluice.preview_rewind shows before what would be read again. Recorded in the ledger; a run in progress is deposed. Rows
already loaded stay, and records read again are skipped where nothing changed.
Example: select sluice.rewind('orders', to_batch => 812)$$;

-- Moves the cursor by hand, behind a ledger entry that the caller has written under the lock of the state.
create or replace function sluice._move_cursor(p_pipeline_id integer, p_cursor jsonb)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  -- A new epoch deposes a run in progress: it reads from where the state no longer is.
  update sluice.etl_state s set
    epoch = s.epoch + 1, batch_seq = s.batch_seq + 1, cursor = p_cursor, updated_at = now()
  where s.pipeline_id = p_pipeline_id;
  update sluice.pipelines p set backfill_finished_at = null
  where p.pipeline_id = p_pipeline_id and p.backfill_finished_at is not null;
$$;

-- A number for people: 1 batch, 12 batches, 240,000 records.
create or replace function sluice._number_of(p_count numeric, p_one text, p_many text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(p_count::text, '(?<=\d)(?=(\d{3})+$)', ',', 'g')
    || ' ' || case p_count when 1 then p_one else p_many end
$$;
