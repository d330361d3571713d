create or replace function sluice.skip(
  pipeline text, object text default null, pages integer default null, reason text default null)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(skip.pipeline);
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
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  if skip.pages is not null then
    v_cursor := sluice._cursor_past_pages(v_pipeline, v_state.cursor, skip.pages);
    v_said := format('pipeline %s skips %s; the next run goes on behind', v_pipeline.name,
      sluice._number_of(skip.pages, 'page', 'pages'));
  else
    perform sluice._refuse_unskippable(v_pipeline, skip.object);
    select * into v_known from sluice.source_objects o
    where o.pipeline_id = v_pipeline.pipeline_id and o.object = skip.object;
    v_cursor := v_state.cursor;
    -- What it is like is noted by the run that finds it: a replacement is told by that.
    v_moved := jsonb_build_array(jsonb_build_object('object', skip.object, 'identity', '{}'::jsonb, 'is_done', true,
      'position', jsonb_strip_nulls(jsonb_build_object(
        'skipped', true, 'bytes', v_known.position -> 'bytes', 'records', v_known.position -> 'records'))));
    v_said := format('pipeline %s skips %s%s', v_pipeline.name, skip.object, case
      when v_known.object is null then ', which it has not read yet: whatever is found under this name first'
        ' is passed over, and what replaces it is read'
      when v_known.is_done then ' as it is now; what replaces it is read'
      else '; what was read of it stays, and what replaces it is read' end);
  end if;

  insert into sluice.batches
    (batch_id, pipeline_id, batch_seq, kind, cursor_before, cursor_after, started_at, committed_at, note, objects)
  values (nextval('sluice.batch_id'), v_pipeline.pipeline_id, v_state.batch_seq + 1, 'skip', v_state.cursor, v_cursor,
    now(), sluice._ledger_time(v_pipeline.pipeline_id), skip.reason, v_moved);
  perform sluice._note_objects(v_pipeline.pipeline_id, v_moved, currval('sluice.batch_id'));
  perform sluice._move_cursor(v_pipeline.pipeline_id, v_cursor);
  return v_said;
end
$$;

comment on function sluice.skip(text, text, integer, text) is
$$Passes over what cannot be read.
object: a file or object is done without being read further, also one never read yet; when it is replaced, the new
content is read from its start, and sluice.rewind(object => ...) takes the skip back.
pages: so many pages of an API, from the one in hand on; for paging by number and by offset, as only those can tell the
next page (SL005 shows the cursor of others).
reason: required, recorded in the ledger.
A run in progress is deposed.$$;

-- Raises SL005 for what cannot be the name of a file or object of the pipeline.
create or replace function sluice._refuse_unskippable(p_pipeline sluice.pipelines, p_object text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_named record;
begin
  select * into v_named from sluice._source_units() u where u.kind = p_pipeline.source ->> 'kind';
  if not found then
    raise exception using errcode = 'SL005',
      message = format('the source of pipeline %s has no files or objects', p_pipeline.name),
      hint = case when p_pipeline.source ->> 'kind' = 'http' then 'pages => 1 passes over the page in hand'
        else 'rows to be left out are left out by the query of the source' end;
  end if;
  if (v_named.is_address <> (p_object ~ '^[a-z0-9]+://') or p_object in ('-', '')) and not exists (
    select from sluice.source_objects o where o.pipeline_id = p_pipeline.pipeline_id and o.object = p_object) then
    raise exception using errcode = 'SL005', message = format('%s cannot be the name of %s of pipeline %s',
        to_json(p_object), v_named.unit, p_pipeline.name),
      hint = 'names are as the path has them: '
        || coalesce(p_pipeline.source ->> 'path', p_pipeline.source ->> 'url', '');
  end if;
end
$$;

-- The cursor of an API behind so many pages from the one in hand on; SL005 where the paging cannot tell.
create or replace function sluice._cursor_past_pages(p_pipeline sluice.pipelines, p_cursor jsonb, p_pages integer)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_paging jsonb := p_pipeline.source -> 'paging';
  v_member text := case v_paging ->> 'model' when 'page_number' then 'page' when 'offset' then 'offset' end;
  v_size   bigint := coalesce((v_paging ->> 'size')::bigint, 0);
  v_next   jsonb := p_cursor -> 'next';
begin
  if p_pages < 1 then
    raise exception using errcode = 'SL005', message = format('pages %s is not positive', p_pages),
      hint = 'pages => 1 passes over the page in hand';
  end if;
  if not exists (
    select from sluice._settings() s
    where s.shape = 'paging' and concat(p_pipeline.source ->> 'kind', ' source') = any (s.parts)) then
    raise exception using errcode = 'SL005',
      message = format('the source of pipeline %s has no pages', p_pipeline.name),
      hint = case when exists (select from sluice._source_units() u where u.kind = p_pipeline.source ->> 'kind')
        then 'object => ''drop/bad.csv'' passes over a file or object'
        else 'rows to be left out are left out by the query of the source' end;
  end if;
  if v_member is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s cannot skip a page: with %s, only the page itself can tell which one follows',
        p_pipeline.name, coalesce(replace(v_paging ->> 'model', '_', ' ') || ' paging', 'a single page')),
      detail = format('The cursor is %s.', coalesce(p_cursor::text, 'null')),
      hint = 'see what the source has at that place; with since, a start or a mark behind it leads around it';
  end if;
  if p_pipeline.backfill_of is not null and p_cursor ->> 'done' = 'true' then
    raise exception using errcode = 'SL005',
      message = format('backfill %s has come to its end: no page is in hand', p_pipeline.name),
      hint = 'sluice.backfills shows its state';
  end if;
  -- Between sweeps: the first pages of the next one.
  if v_next is null then
    return coalesce(p_cursor, '{"done": false}')
      || jsonb_build_object('skip_pages', coalesce((p_cursor ->> 'skip_pages')::bigint, 0) + p_pages);
  end if;
  if not v_next ? v_member then
    raise exception using errcode = 'SL005', message = format(
        'pipeline %s cannot skip a page: its source was defined anew in the middle of a sweep', p_pipeline.name),
      detail = format('The cursor is %s.', p_cursor), hint = 'run it once: it begins the sweep anew';
  end if;
  return p_cursor - 'skip' - 'of_page' || jsonb_build_object(
    'next', jsonb_build_object(v_member,
      (v_next ->> v_member)::bigint + p_pages * case v_member when 'offset' then v_size else 1 end),
    'pages', (p_cursor ->> 'pages')::bigint + p_pages,
    -- As if they had been full: what counts them to find the end goes on.
    'records', (p_cursor ->> 'records')::bigint + p_pages * v_size);
end
$$;
