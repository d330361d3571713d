-- Errors, notes and names that contain one of the texts, or the key if it is a text. Names of files and cursors are
-- what the next run goes by: they are counted, and stay.
create or replace function sluice._erase_texts(p_pipeline sluice.pipelines, p_key jsonb, p_texts text[])
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids   integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
  v_texts text[] := p_texts || case when p_key is null then '{}'::text[]
    else sluice._texts_of_key((sluice._typed_key(p_pipeline, p_key)).key) end;
begin
  if v_texts = '{}' then
    return;
  end if;
  place := 'errors and notes';
  with runs as (
    update sluice.runs r set error = 'erased'
    where r.pipeline_id = any (v_ids) and sluice._says(r.error, v_texts) returning 1
  ), notes as (
    update sluice.batches b set note = 'erased'
    where b.pipeline_id = any (v_ids) and sluice._says(b.note, v_texts) returning 1
  ), waiting as (
    update sluice.waiting w set reason = 'erased'
    where w.pipeline_id = any (v_ids) and sluice._says(w.reason, v_texts) returning 1
  ), senders as (
    update sluice.delivery_state s set error = 'erased'
    where s.pipeline_id = any (v_ids) and sluice._says(s.error, v_texts) returning 1
  ), fields as (
    delete from sluice.record_fields f
    where f.pipeline_id = any (v_ids) and sluice._says(f.field, v_texts) returning 1)
  select count(*) into traces
  from (select from runs union all select from notes union all select from waiting union all select from senders
    union all select from fields) x;
  erased := traces;
  return next;

  place := 'cursors and names';
  select count(*) into traces from (
    select from sluice.batches b where b.pipeline_id = any (v_ids) and sluice._says(
      concat_ws(' ', b.cursor_before, b.cursor_after, b.objects, b.origins), v_texts)
    union all
    select from sluice.etl_state s where s.pipeline_id = any (v_ids) and sluice._says(s.cursor::text, v_texts)
    union all
    select from sluice.source_objects o where o.pipeline_id = any (v_ids)
      and sluice._says(concat_ws(' ', o.object, o.identity, o.position), v_texts)
    union all
    select from sluice.quarantine q where q.pipeline_id = any (v_ids) and sluice._says(q.origin, v_texts)) x;
  erased := 0;
  detail := case when traces > 0 then 'they stay: by these the source is read on; drop_pipeline forgets them' end;
  return next;
end
$$;

comment on function sluice._erase_texts(sluice.pipelines, jsonb, text[]) is
  'Erases errors and notes in which a text stands, and counts the cursors and names that hold it.';
