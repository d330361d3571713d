create or replace function sluice.rewind(pipeline text, to_batch bigint default null, to_start boolean default false, object text default null)
returns text
language plpgsql volatile
set search_path = ''
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(rewind.pipeline);
  v_state    sluice.etl_state;
  v_goal     sluice.batches;
  v_entry    sluice.batches;
begin
  if (rewind.to_batch is not null)::integer + coalesce(rewind.to_start, false)::integer + (rewind.object is not null)::integer <> 1 then
    raise exception using errcode = 'SL005', message = 'rewind needs one goal',
      hint = 'one of to_batch => N, to_start => true, object => ''drop/a.ndjson''';
  end if;
  select * into v_state from sluice.etl_state s where s.pipeline_id = v_pipeline.pipeline_id for update;
  if rewind.object is not null then
    delete from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id and o.object = rewind.object;
    if not found then
      raise exception using errcode = 'SL005', message = format('pipeline %s has read no object %s', v_pipeline.name, quote_literal(rewind.object)),
        hint = coalesce('it has read ' || (
          select string_agg(o.object, ', ') from (
            select o.object from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id order by o.updated_at desc limit 5) o) || ', ...',
          'it has read none yet');
    end if;
    v_entry.cursor_after := v_state.cursor;
  elsif rewind.to_start then
    delete from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id;
  else
    select * into v_goal from sluice.batches b where b.pipeline_id = v_pipeline.pipeline_id and b.batch_id = rewind.to_batch;
    if not found then
      raise exception using errcode = 'SL005', message = format('pipeline %s has no batch %s', v_pipeline.name, rewind.to_batch),
        hint = format('see select batch_id, committed_at, extracted from sluice.batches where pipeline_id = %s order by batch_id desc', v_pipeline.pipeline_id);
    end if;
    v_entry.cursor_after := v_goal.cursor_after;
    perform sluice._restore_objects(v_pipeline.pipeline_id, v_goal.batch_seq);
  end if;

  v_entry.batch_id := nextval('sluice.batch_id');
  insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, cursor_before, cursor_after, started_at, objects)
  values (v_entry.batch_id, v_pipeline.pipeline_id, v_state.batch_seq + 1, 'rewind', v_state.cursor, v_entry.cursor_after, now(), coalesce((
    select jsonb_agg(jsonb_build_object('object', o.object, 'identity', o.identity, 'position', o.position, 'is_done', o.is_done) order by o.object)
    from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id), '[]'));
  -- A new epoch deposes a run in progress: it reads from where the state no longer is.
  update sluice.etl_state s set epoch = epoch + 1, batch_seq = batch_seq + 1, cursor = v_entry.cursor_after, updated_at = now()
  where s.pipeline_id = v_pipeline.pipeline_id;
  return format('pipeline %s rewound to %s; what follows is read again by the next run, and unchanged rows are skipped', v_pipeline.name,
    case when rewind.object is not null then 'the start of ' || rewind.object when rewind.to_start then 'the start' else 'batch ' || rewind.to_batch end);
end
$$;

comment on function sluice.rewind(text, bigint, boolean, text) is
  'Sets the live cursor back: to the end of a batch (to_batch), to the start of everything (to_start), or to the start of one file or object (object). Recorded in the ledger; a run in progress is deposed. Rows already loaded stay, and records read again are skipped where nothing changed. Example: select sluice.rewind(''orders'', to_batch => 812)';
