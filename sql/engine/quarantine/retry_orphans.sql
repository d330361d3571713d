create or replace function sluice.retry_orphans(pipeline text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_pipeline(retry_orphans.pipeline);
  v_ids      bigint[];
  v_done     record;
  v_loaded   bigint := 0;
begin
  -- The records of a backfill belong to its pipeline.
  if v_pipeline.backfill_of is not null then
    select * into strict v_pipeline from sluice.pipelines p where p.pipeline_id = v_pipeline.backfill_of;
  end if;
  v_ids := array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open' and q.sqlstate = '23503'
      and v_pipeline.retry_orphans);
  if v_ids = '{}' then
    return 0;
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_ids := array(select sluice.find_quarantined(v_pipeline.name, v_ids));
  for v_first in 1 .. cardinality(v_ids) by 10000 loop
    v_done := sluice._replay_batch(v_pipeline, null, v_ids[v_first : v_first + 9999], 'arrival', true);
    if (v_done.ledger).batch_id is not null then
      v_loaded := v_loaded + (v_done.ledger).extracted - (v_done.ledger).quarantined - v_done.unsure;
    end if;
  end loop;
  return v_loaded;
end
$$;

comment on function sluice.retry_orphans(text) is
$$Replays the records whose parent row was missing (23503); returns how many could be loaded now. The loader calls it
before and after every run of a pipeline with retry_orphans.$$;
