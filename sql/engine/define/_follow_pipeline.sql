create or replace function sluice._follow_pipeline(p_backfill sluice.pipelines)
returns sluice.pipelines
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_backfill sluice.pipelines := p_backfill;
  v_pipeline sluice.pipelines;
begin
  select * into strict v_pipeline from sluice.pipelines p where p.pipeline_id = p_backfill.backfill_of;
  insert into sluice.transforms as t (pipeline_id, version, function, takes_meta, columns, key, order_by, search_path,
    function_text, sha256, is_repeatable, input_definition)
  select p_backfill.pipeline_id, o.version, o.function, o.takes_meta, o.columns, o.key, o.order_by, o.search_path,
    o.function_text, o.sha256, o.is_repeatable, o.input_definition
  from sluice.transforms o
  where o.pipeline_id = v_pipeline.pipeline_id and o.version = v_pipeline.active_version
  on conflict (pipeline_id, version) do update set
    function = excluded.function, takes_meta = excluded.takes_meta, columns = excluded.columns, key = excluded.key,
    order_by = excluded.order_by, search_path = excluded.search_path, function_text = excluded.function_text,
    sha256 = excluded.sha256, is_repeatable = excluded.is_repeatable, input_definition = excluded.input_definition;
  if not exists (
    select from sluice.transforms t
    where t.pipeline_id = p_backfill.pipeline_id and t.version = v_pipeline.active_version
      and t.first_used_at is not null) then
    delete from sluice.also_targets a
    where a.pipeline_id = p_backfill.pipeline_id and a.version = v_pipeline.active_version;
    insert into sluice.also_targets
    select a.* from sluice.also_targets o
    cross join lateral jsonb_populate_record(o, jsonb_build_object('pipeline_id', p_backfill.pipeline_id)) a
    where o.pipeline_id = v_pipeline.pipeline_id and o.version = v_pipeline.active_version;
  end if;
  update sluice.pipelines b set
    owner = v_pipeline.owner, target = v_pipeline.target,
    source = sluice._ranged_source(v_pipeline.source, b.backfill_range), active_version = v_pipeline.active_version,
    max_bad_ratio = v_pipeline.max_bad_ratio, batch_rows = v_pipeline.batch_rows, batch_bytes = v_pipeline.batch_bytes,
    deliver = v_pipeline.deliver, also_deliver = v_pipeline.also_deliver, updated_at = now()
  where b.pipeline_id = p_backfill.pipeline_id
  returning * into v_backfill;
  return v_backfill;
end
$$;

comment on function sluice._follow_pipeline(sluice.pipelines) is
$$Gives a backfill the definition that its pipeline has now: source, active version, policy. A version that a backfill
has used counts as used by the pipeline, so it is the same in both.$$;
