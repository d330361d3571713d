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
    raise exception using errcode = 'SL005', message = format('pages %s is not positive', p_pages), hint = 'pages => 1 passes over the page in hand';
  end if;
  if p_pipeline.source ->> 'kind' <> 'http' then
    raise exception using errcode = 'SL005', message = format('the source of pipeline %s has no pages', p_pipeline.name),
      hint = 'object => ''drop/bad.csv'' passes over a file or object';
  end if;
  if v_member is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s cannot skip a page: with %s, only the page itself can tell which one follows', p_pipeline.name, coalesce(replace(v_paging ->> 'model', '_', ' ') || ' paging', 'a single page')),
      detail = format('The cursor is %s.', coalesce(p_cursor::text, 'null')),
      hint = 'see what the source has at that place; with since, a start or a mark behind it leads around it';
  end if;
  if p_pipeline.backfill_of is not null and p_cursor ->> 'done' = 'true' then
    raise exception using errcode = 'SL005', message = format('backfill %s has come to its end: no page is in hand', p_pipeline.name),
      hint = 'sluice.backfills shows its state';
  end if;
  -- Between sweeps: the first pages of the next one.
  if v_next is null then
    return coalesce(p_cursor, '{"done": false}') || jsonb_build_object('skip_pages', coalesce((p_cursor ->> 'skip_pages')::bigint, 0) + p_pages);
  end if;
  if not v_next ? v_member then
    raise exception using errcode = 'SL005', message = format('pipeline %s cannot skip a page: its source was defined anew in the middle of a sweep', p_pipeline.name),
      detail = format('The cursor is %s.', p_cursor), hint = 'run it once: it begins the sweep anew';
  end if;
  return p_cursor - 'skip' - 'of_page' || jsonb_build_object(
    'next', jsonb_build_object(v_member, (v_next ->> v_member)::bigint + p_pages * case v_member when 'offset' then v_size else 1 end),
    'pages', (p_cursor ->> 'pages')::bigint + p_pages,
    -- As if they had been full: what counts them to find the end goes on.
    'records', (p_cursor ->> 'records')::bigint + p_pages * v_size);
end
$$;

comment on function sluice._cursor_past_pages(sluice.pipelines, jsonb, integer) is
  'The cursor of an API behind so many pages from the one in hand on; SL005 where the paging cannot tell.';
