create or replace function sluice.skip(pipeline text, object text default null, pages integer default null, reason text default null)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(skip.pipeline);
  v_state    sluice.etl_state;
  v_known    sluice.source_objects;
  v_cursor   jsonb;
  v_moved    jsonb := '[]';
  v_said     text;
begin
  if coalesce(btrim(skip.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'skip needs a reason',
      hint = 'reason => ''damaged export, asked for a new one'': it stays in the ledger';
  end if;
  if (skip.object is null) = (skip.pages is null) then
    raise exception using errcode = 'SL005', message = 'skip needs one thing to pass over',
      hint = 'one of object => ''drop/bad.csv'', pages => 1';
  end if;
  select * into v_state from sluice.etl_state s where s.pipeline_id = v_pipeline.pipeline_id for update;
  if skip.pages is not null then
    v_cursor := sluice._cursor_past_pages(v_pipeline, v_state.cursor, skip.pages);
    v_said := format('pipeline %s skips %s; the next run goes on behind', v_pipeline.name, sluice._counted(skip.pages, 'page', 'pages'));
  else
    perform sluice._check_skippable(v_pipeline, skip.object);
    select * into v_known from sluice.source_objects o where o.pipeline_id = v_pipeline.pipeline_id and o.object = skip.object;
    v_cursor := v_state.cursor;
    -- What it is like is noted by the run that finds it: a replacement is told by that.
    v_moved := jsonb_build_array(jsonb_build_object('object', skip.object, 'identity', '{}'::jsonb, 'is_done', true,
      'position', jsonb_strip_nulls(jsonb_build_object('skipped', true, 'bytes', v_known.position -> 'bytes', 'records', v_known.position -> 'records'))));
    v_said := format('pipeline %s skips %s%s', v_pipeline.name, skip.object, case when v_known.object is null
      then ', which it has not read yet: whatever is found under this name first is passed over, and what replaces it is read'
      when v_known.is_done then ' as it is now; what replaces it is read' else '; what was read of it stays, and what replaces it is read' end);
  end if;

  insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, cursor_before, cursor_after, started_at, note, objects)
  values (nextval('sluice.batch_id'), v_pipeline.pipeline_id, v_state.batch_seq + 1, 'skip', v_state.cursor, v_cursor, now(), skip.reason, v_moved);
  perform sluice._note_objects(v_pipeline.pipeline_id, v_moved, currval('sluice.batch_id'));
  perform sluice._move_cursor(v_pipeline.pipeline_id, v_cursor);
  return v_said;
end
$$;

comment on function sluice.skip(text, text, integer, text) is
  'Passes over what cannot be read. object: a file or object is done without being read further, also one never read yet; when it is replaced, the new content is read from its start, and sluice.rewind(object => ...) takes the skip back. pages: so many pages of an API, from the one in hand on; for paging by number and by offset, as only those can tell the next page (SL005 shows the cursor of others). Recorded in the ledger with the reason, which is required; a run in progress is deposed.';
