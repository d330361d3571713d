-- Backfills deliver as their pipeline does; what is left of a delivery that was switched off is closed.
create or replace function sluice._follow_delivery(p_pipeline sluice.pipelines)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_count bigint;
begin
  update sluice.pipelines b set deliver = p_pipeline.deliver where b.backfill_of = p_pipeline.pipeline_id;
  if p_pipeline.deliver is not null then
    return;
  end if;
  update sluice.delivery_state s set epoch = s.epoch + 1 where s.pipeline_id = p_pipeline.pipeline_id;
  update sluice.outbox o set state = 'discarded', closed_at = clock_timestamp(), body = null,
    error = 'the pipeline delivers nowhere any more'
  where o.pipeline_id = p_pipeline.pipeline_id and o.state in ('unsent', 'in_flight', 'dead');
  get diagnostics v_count = row_count;
  if v_count > 0 then
    raise notice 'pipeline %: deliveries that were not sent and are discarded: %', p_pipeline.name, v_count;
  end if;
end
$$;

comment on function sluice._follow_delivery(sluice.pipelines) is
  'What follows when a pipeline delivers elsewhere, or nowhere any more.';
