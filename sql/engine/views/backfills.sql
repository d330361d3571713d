create or replace view sluice.backfills as
select
  p.name as pipeline,
  b.name as backfill,
  coalesce(b.backfill_range ->> 'objects',
    pg_catalog.concat(coalesce(b.backfill_range ->> 'from', 'the start'), ' .. ',
      coalesce(b.backfill_range ->> 'to', 'now'))) as range,
  case when s.state <> 'ok' then s.state when b.backfill_finished_at is null then 'unfinished'
    else 'finished' end as state,
  r.started_at,
  b.backfill_finished_at as finished_at,
  coalesce(r.batches, 0) as batches,
  coalesce(r.extracted, 0) as extracted,
  coalesce(r.written, 0) as written,
  coalesce(r.quarantined, 0) as quarantined
from sluice.pipelines b
join sluice.pipelines p on p.pipeline_id = b.backfill_of
cross join lateral (select sluice._pipeline_state(b.pipeline_id) as state) s
left join lateral (
  select pg_catalog.min(r.started_at) as started_at, pg_catalog.sum(t.batches)::bigint as batches,
    pg_catalog.sum(t.extracted)::bigint as extracted, pg_catalog.sum(t.written)::bigint as written,
    pg_catalog.sum(t.quarantined)::bigint as quarantined
  from sluice.runs r cross join lateral sluice._run_totals(r.run_id) t where r.pipeline_id = b.pipeline_id) r on true
order by p.name, b.pipeline_id;

comment on view sluice.backfills is
$$Each backfill, with the counters of all its runs. state: new, running, paused, died (run it again), finished (it came
to the end of its range), unfinished (its last run was told to stop before), or the outcome of the last run.$$;
