create or replace function sluice._try_version(
  p_pipeline sluice.pipelines, p_version integer, p_batch_id bigint, p_ids bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
-- Index lookups in the target only, as in _plan_by_index.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_batch   sluice.batches;
  v_origins jsonb;
begin
  perform sluice._open_batch(p_pipeline, p_version, null, 'replay', 'arrival_only');
  if p_batch_id is null then
    v_origins := sluice._stage_quarantined(p_pipeline.pipeline_id, p_ids, false);
  else
    select * into v_batch from sluice.batches b where b.batch_id = p_batch_id;
    v_origins := v_batch.origins;
    perform sluice._stage_retained(p_pipeline.pipeline_id, p_batch_id);
    insert into pg_temp.sluice_replayed (ordinal, arrived_at) select s.ordinal, a.arrived_at
    from pg_temp.sluice_staging s join sluice._batch_arrivals() a on a.batch_id = p_batch_id;
  end if;
  perform sluice.transform_batch(v_origins);
  perform sluice._mark_outdated_rows();
  execute format($sql$create temporary table sluice_outcomes on commit drop as
select o.ordinal, o.line, o.hash, o.key, o.key_hash, o.outcome,
  row_number() over (partition by o.ordinal, o.key_hash order by o.line) as number
from (%s) o
where o.state is distinct from 'f'$sql$, (select c.outcomes_sql from pg_temp.sluice_compiled c));
end
$$;

comment on function sluice._try_version(sluice.pipelines, integer, bigint, bigint[]) is
$$Opens a batch of retained payloads (p_batch_id), or of quarantined records (p_ids), puts them through a version and
notes in sluice_outcomes what would come of it. Writes temporary tables only; the caller rolls them back.$$;
