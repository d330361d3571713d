-- Quarantined records and retained payloads: those that make a key, and those that contain one of the texts.
create or replace function sluice._erase_records(
  p_pipeline sluice.pipelines, p_key jsonb, p_texts text[], p_batch_id bigint)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all records
as $$
declare
  v_key   record;
  v_found record;
  v_ids   bigint[] := '{}';
  v_raw   record;
begin
  if p_key is not null then
    v_key := sluice._typed_key(p_pipeline, p_key);
    v_found := sluice._search_quarantine(p_pipeline, v_key.target, v_key.columns, v_key.row_sql, v_key.given,
      v_key.key);
    v_ids := v_found.ids;
    detail := case when v_found.unsearched > 0 then
      format('%s more open records made no key: what stands in them is found by contains', v_found.unsearched) end;
  end if;
  if p_texts <> '{}' then
    v_ids := v_ids || array(
      select q.quarantine_id from sluice.quarantine q
      where q.pipeline_id = p_pipeline.pipeline_id and q.status <> 'erased' and q.quarantine_id <> all (v_ids) and (
        sluice._payload_says(q.payload, p_texts) or sluice._payload_says(q.original_payload, p_texts)
        or sluice._says(concat_ws(' ', q.message, q.detail, q.reason), p_texts) or sluice._says(q.keys::text, p_texts)
        or exists (select from sluice.quarantine_events e where e.quarantine_id = q.quarantine_id and (
          sluice._says(concat_ws(' ', e.message, e.reason), p_texts) or sluice._payload_says(e.payload, p_texts)))));
  end if;
  delete from sluice.quarantine_events e where e.quarantine_id = any (v_ids);
  insert into sluice.quarantine_events (quarantine_id, event, batch_id)
  select i, 'erased', p_batch_id from unnest(v_ids) i;
  -- Its hash recognises the bytes if they come again, as for a discarded record; the books count it.
  update sluice.quarantine q set
    status = 'erased', payload_sha256 = sha256(coalesce(q.original_payload, q.payload)), payload = '',
    original_payload = null, keys = null, message = 'erased', detail = null, reason = null, resolved_batch_id = null,
    closed_at = now(), closed_by = session_user
  where q.quarantine_id = any (v_ids);
  place := 'quarantine';
  traces := cardinality(v_ids);
  erased := traces;
  return next;

  place := 'retained payloads';
  v_raw := sluice._erase_retained(p_pipeline, v_key.given, v_key.columns, v_key.row_sql, p_texts);
  traces := v_raw.erased;
  erased := traces;
  detail := v_raw.trouble;
  return next;
end
$$;

comment on function sluice._erase_records(sluice.pipelines, jsonb, text[], bigint) is
  'Erases quarantined records and retained payloads of a key, and those in which a text stands.';

-- A retained record keeps its place, without a payload. trouble: where keys could not be looked for.
create or replace function sluice._erase_retained(p_pipeline sluice.pipelines, p_given jsonb, p_columns text[],
  p_row_sql text, p_texts text[], out erased bigint, out trouble text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation regclass;
  v_batch    sluice.batches;
  v_ordinals integer[];
begin
  erased := 0;
  for v_relation in select t.relation from sluice._raw_tables(p_pipeline.pipeline_id) t loop
    erased := erased + sluice._blank_payloads(v_relation, null, '{}', p_texts);
  end loop;
  for v_batch in
    select b.* from sluice.batches b
    where p_given is not null
      and b.batch_id in (select c.batch_id from sluice._raw_counts(p_pipeline.pipeline_id, null) c)
    order by b.batch_id
  loop
    begin
      v_ordinals := sluice._retained_ordinals_of_key(v_batch, p_given, p_columns, p_row_sql);
    exception when sqlstate 'SL005' or sqlstate 'SL006' then
      trouble := coalesce(trouble, format('those of batch %s and others could not be looked through by key (%s): what '
        'stands in them is found by contains', v_batch.batch_id, sqlerrm));
      continue;
    end;
    for v_relation in select t.relation from sluice._raw_tables(p_pipeline.pipeline_id) t where v_ordinals <> '{}' loop
      erased := erased + sluice._blank_payloads(v_relation, v_batch.batch_id, v_ordinals, '{}');
    end loop;
  end loop;
end
$$;

-- Empties the payloads of these records of a batch, or of all that contain a text; returns how many.
create or replace function sluice._blank_payloads(
  p_relation regclass, p_batch_id bigint, p_ordinals integer[], p_texts text[])
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_blanked bigint;
begin
  if p_ordinals = '{}' and p_texts = '{}' then
    return 0;
  end if;
  execute format($sql$with hit as materialized (
  select c.ctid as place, array_agg(r.number) as numbers
  from %1$s c cross join lateral unnest(c.ordinals, c.payloads) with ordinality r (ordinal, payload, number)
  where ($1 is null or c.batch_id = $1) and r.payload is not null
    and (r.ordinal = any ($2) or sluice._says(r.payload, $3))
  group by c.ctid
), blanked as (
  update %1$s c set payloads = array(
    select case when r.number <> all (h.numbers) then r.payload end
    from unnest(c.payloads) with ordinality r (payload, number) order by r.number)
  from hit h where c.ctid = h.place)
select coalesce(sum(cardinality(h.numbers)), 0) from hit h$sql$, p_relation)
    into v_blanked using p_batch_id, p_ordinals, p_texts;
  return v_blanked;
end
$$;
