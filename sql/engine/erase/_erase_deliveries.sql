-- The outbox: deliveries of the key, and bodies and answers in which a text stands. What is on its way stays until it
-- has arrived, as does a delete that the other side has not heard of.
create or replace function sluice._erase_deliveries(
  p_pipeline sluice.pipelines, p_key jsonb, p_texts text[], p_rows boolean)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_hash bytea := case when p_key is not null then (sluice._typed_key(p_pipeline, p_key)).key_hash end;
begin
  if not exists (select from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id) then
    return;
  end if;
  perform from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id for update; -- before its outbox
  with meant as materialized (
    select o.delivery_id, coalesce(o.key_hash = v_hash, false) or sluice._says(o.key::text, p_texts)
        or sluice._says(o.deleted_row::text, p_texts) as is_of_key,
      o.state = 'in_flight' or o.state = 'unsent' and (o.operation = 'delete' or not p_rows) as is_needed
    from sluice.outbox o
    where o.pipeline_id = p_pipeline.pipeline_id and (o.key_hash = v_hash or sluice._says(o.key::text, p_texts)
      or sluice._says(o.deleted_row::text, p_texts) or sluice._says(o.body, p_texts)
      or sluice._says(o.answer, p_texts) or sluice._says(o.error, p_texts))
  ), gone as (
    delete from sluice.outbox o using meant m where o.delivery_id = m.delivery_id and m.is_of_key and not m.is_needed
  ), emptied as (
    -- Another row's, which was sent or answered together with it: redeliver makes its body anew.
    update sluice.outbox o set body = null, answer = null, error = 'erased'
    from meant m where o.delivery_id = m.delivery_id and not m.is_of_key and not m.is_needed)
  select count(*), count(*) filter (where not m.is_needed) into traces, erased from meant m;
  place := 'deliveries';
  detail := concat_ws('; ',
    case when traces > erased then
      format('%s are not sent yet: deliver or discard them, then erase once more', traces - erased) end,
    case when (select s.sent_count > 0 from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id)
      then 'what was sent stands where it was sent to, which is not told' end);
  return next;
end
$$;

comment on function sluice._erase_deliveries(sluice.pipelines, jsonb, text[], boolean) is
  'Erases deliveries of a key, and bodies and answers in which a text stands.';
