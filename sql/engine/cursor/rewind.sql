create or replace function sluice.rewind(
  pipeline text, to_batch bigint default null, to_start boolean default false, object text default null, to_time timestamptz default null)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(rewind.pipeline);
  v_state    sluice.etl_state;
  v_goal     record;
  v_again    record;
begin
  select * into v_state from sluice.etl_state s where s.pipeline_id = v_pipeline.pipeline_id for update;
  v_goal := sluice._rewind_goal(v_pipeline, rewind.to_batch, rewind.to_start, rewind.object, rewind.to_time);
  select count(*) as batches, coalesce(sum(a.records), 0) as records into v_again
  from sluice._read_again(v_pipeline.pipeline_id, v_goal.batch_seq, rewind.object) a;
  if v_goal.batch_seq is null then
    delete from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id and o.object = rewind.object;
    v_goal."cursor" := v_state.cursor;
  else
    perform sluice._restore_objects(v_pipeline.pipeline_id, v_goal.batch_seq);
  end if;

  insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, cursor_before, cursor_after, started_at, rewound_to, note, objects)
  values (nextval('sluice.batch_id'), v_pipeline.pipeline_id, v_state.batch_seq + 1, 'rewind', v_state.cursor, v_goal."cursor", now(), v_goal.batch_seq, 'to ' || v_goal.words, coalesce((
    select jsonb_agg(jsonb_build_object('object', o.object, 'identity', o.identity, 'position', o.position, 'is_done', o.is_done) order by o.object)
    from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id), '[]'));
  perform sluice._move_cursor(v_pipeline.pipeline_id, v_goal."cursor");
  return format('pipeline %s rewound to %s; %s', v_pipeline.name, v_goal.words, case when v_again.batches = 0 then 'nothing that was read follows'
    else format('what follows (so far %s, %s) is read again by the next run, and unchanged rows are skipped',
      sluice._counted(v_again.batches, 'batch', 'batches'), sluice._counted(v_again.records, 'record', 'records')) end);
end
$$;

comment on function sluice.rewind(text, bigint, boolean, text, timestamptz) is
  'Sets the live cursor back: to the end of a batch (to_batch: its batch_id), to what was committed at a time (to_time), to the start of everything (to_start), or to the start of one file or object, also one that was skipped (object). sluice.preview_rewind shows before what would be read again. Recorded in the ledger; a run in progress is deposed. Rows already loaded stay, and records read again are skipped where nothing changed. SL005 when there is not exactly one goal. Example: select sluice.rewind(''orders'', to_batch => 812)';
