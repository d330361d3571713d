create or replace function sluice._reload_batches(p_pipeline sluice.pipelines, p_batches bigint[], p_from_batch bigint, p_to_batch bigint)
returns setof sluice.batches
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids     integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
  v_unknown bigint;
  v_missing bigint[];
begin
  if (p_batches is null) = (coalesce(p_from_batch, p_to_batch) is null) then
    raise exception using errcode = 'SL005', message = 'reload needs batches',
      hint = 'batches => ''{812,813}'', or from_batch => 812, to_batch => 830';
  end if;
  select w.id into v_unknown
  from unnest(p_batches) w (id)
  where not exists (select from sluice.batches b where b.batch_id = w.id and b.pipeline_id = any (v_ids)) limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('pipeline %s has no batch %s', p_pipeline.name, coalesce(v_unknown::text, 'null')),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  -- What a batch has set aside is not retained, and replays retain nothing of their own.
  v_missing := array(
    select b.batch_id from sluice.batches b
    left join sluice._raw_counts(p_pipeline.pipeline_id, p_batches) c using (batch_id)
    where b.pipeline_id = any (v_ids) and b.transformed + b.filtered <> coalesce(c.records, 0)
      and case when p_batches is not null then b.batch_id = any (p_batches)
        else b.batch_id between coalesce(p_from_batch, b.batch_id) and coalesce(p_to_batch, b.batch_id) and b.kind <> 'replay' end
    order by b.batch_id);
  if v_missing <> '{}' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: the payloads of batch %s%s are not retained', p_pipeline.name, array_to_string(v_missing[:5], ', '),
        case when cardinality(v_missing) > 5 then format(' and %s more', cardinality(v_missing) - 5) else '' end),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  return query
  select b.* from sluice.batches b join sluice._batch_arrivals() a using (batch_id)
  where b.pipeline_id = any (v_ids) and b.transformed + b.filtered > 0
    and case when p_batches is not null then b.batch_id = any (p_batches)
      else b.batch_id between coalesce(p_from_batch, b.batch_id) and coalesce(p_to_batch, b.batch_id) and b.kind <> 'replay' end
  order by a.arrived_at, b.batch_id;
end
$$;

comment on function sluice._reload_batches(sluice.pipelines, bigint[], bigint, bigint) is
  'The batches that a reload names, in the order they came; SL005 unless all that they loaded is retained.';
