create or replace view sluice.status as
select
  p.name as pipeline,
  sluice._pipeline_state(p.pipeline_id) as state,
  p.active_version as version,
  r.run_id as run,
  date_trunc('second', r.started_at)::timestamp as started_at,
  coalesce(t.extracted, 0) as extracted,
  coalesce(t.written, 0) as written,
  (select count(*) from sluice.quarantine q where q.pipeline_id = p.pipeline_id and q.status = 'open') as bad,
  (select count(*) from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting
from sluice.pipelines p
left join lateral (
  select r.run_id, r.started_at, r.finished_at, r.outcome from sluice.runs r
  where r.pipeline_id = p.pipeline_id order by r.epoch desc limit 1) r on true
left join lateral sluice._run_totals(r.run_id) t on r.run_id is not null
where p.backfill_of is null
order by p.name;

comment on view sluice.status is
$$Each pipeline with its last run. state: new, running, paused, died (no outcome and nobody holds it: run it again), or
the outcome of the last run. extracted, written: records read and rows written by that run. bad: records waiting in
quarantine. waiting: what the source offers and could not be read to its end (sluice.waiting_details).
sluice.status_details has cursor and target, too, and since when every run has failed; backfills are in
sluice.backfills.$$;

create or replace view sluice.status_details as
select
  p.name as pipeline,
  sluice._pipeline_state(p.pipeline_id) as state,
  p.active_version as version,
  p.target,
  r.run_id as run,
  r.started_at,
  r.finished_at,
  s.batch_seq as batches,
  coalesce(t.extracted, 0) as extracted,
  coalesce(t.written, 0) as written,
  coalesce(t.quarantined, 0) as quarantined,
  (select count(*) from sluice.quarantine q where q.pipeline_id = p.pipeline_id
    and q.status = 'open') as open_quarantine,
  sluice._cursor_of(p.pipeline_id) as cursor,
  (select count(*) from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting,
  (select jsonb_agg(jsonb_build_object('name', w.name, 'reason', w.reason, 'since', w.since) order by w.name)
   from sluice.waiting w where w.pipeline_id = p.pipeline_id) as waiting_for,
  sluice._error_of(r.run_id, null) as error,
  (select count(*) from sluice.outbox o where o.pipeline_id = p.pipeline_id
    and o.state in ('unsent', 'in_flight')) as undelivered,
  (select count(*) from sluice.outbox o where o.pipeline_id = p.pipeline_id and o.state = 'dead') as dead_deliveries,
  coalesce(t.batches, 0) as run_batches,
  f.failing_since,
  coalesce(f.failed_runs, 0) as failed_runs,
  sluice._unfinished_of(p.pipeline_id) as unfinished,
  (select jsonb_agg(jsonb_build_object('target', o.target, 'written', coalesce(o.written, 0)) order by o.number)
   from (
     select v.target, v.number, sum(x.inserted + x.updated + x.deleted) as written
     from sluice._version_targets(p.pipeline_id, null) v
     left join (
       select y.* from sluice.batches b cross join lateral jsonb_to_recordset(b.targets)
         as y (target text, inserted bigint, updated bigint, deleted bigint)
       where b.run_id = r.run_id) x on x.target = v.target
     group by v.target, v.number) o
   having count(*) > 1) as targets,
  sluice._error_of(null, p.pipeline_id) as last_delivery_error,
  (select jsonb_agg(jsonb_build_object('target', r.target, 'waiting', n.waiting, 'dead', n.dead) order by r.route)
   from sluice._routes(p) r
   cross join lateral (
     select count(*) filter (where o.state <> 'dead') as waiting, count(*) filter (where o.state = 'dead') as dead
     from sluice.outbox o
     where o.pipeline_id = p.pipeline_id and o.route = r.route and o.state in ('unsent', 'in_flight', 'dead')) n
   having count(*) > 1) as deliveries
from sluice.pipelines p
join sluice.etl_state s using (pipeline_id)
left join lateral (
  select r.run_id, r.started_at, r.finished_at, r.outcome from sluice.runs r
  where r.pipeline_id = p.pipeline_id order by r.epoch desc limit 1) r on true
left join lateral sluice._run_totals(r.run_id) t on r.run_id is not null
left join lateral sluice._failures(case when r.outcome is distinct from 'ok' then p.pipeline_id end) f
  on f.failed_runs > 0
where p.backfill_of is null
order by p.name;

comment on view sluice.status_details is
$$Each pipeline with its last run. state: new, running, paused, died (no outcome and nobody holds it: run it again), or
the outcome of the last run. run_batches, extracted, written, quarantined: of that run; error: why it ended early;
batches: of all runs. failing_since, failed_runs: since when no run has ended well. waiting: what the source offers and
could not be read to its end; unfinished: files and objects that were begun and are not among these (20 at most).
targets: where there are several, the rows written to each by that run.
undelivered, dead_deliveries: rows that were not sent yet, or that were refused (sluice.deliveries);
deliveries: where rows of several targets are delivered, the same for each; last_delivery_error: why the last sender
ended early, a line each of several. cursor, unfinished and errors are null for a
sluice_monitor. Backfills are in sluice.backfills.$$;

create or replace view sluice.waiting_details as
select
  p.name as pipeline,
  w.name,
  w.reason,
  w.since,
  not w.on_purpose and w.since < clock_timestamp() - make_interval(secs =>
    coalesce((p.source ->> 'settle_seconds')::double precision, 2)) as is_overdue
from sluice.waiting w
join sluice.pipelines p using (pipeline_id)
order by p.name, w.name;

comment on view sluice.waiting_details is
$$What a source offers and could not be read to its end: a file that ends inside a record, a file or object that was
begun and is gone, a sweep short of its total, what --max-batches left. is_overdue: for longer than settle_seconds, by
which a run ends with exit code 5.$$;
