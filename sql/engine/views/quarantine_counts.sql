create or replace view sluice.quarantine_counts as
select
  p.name as pipeline,
  q.status,
  q.sqlstate,
  q.column_name as "column",
  q.constraint_name as "constraint",
  count(*) as records,
  sum(q.seen_count)::bigint as seen,
  min(q.first_seen_at) as first_seen_at,
  max(q.last_seen_at) as last_seen_at
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
group by p.name, q.status, q.sqlstate, q.column_name, q.constraint_name
order by p.name, q.status, count(*) desc, q.sqlstate;

comment on view sluice.quarantine_counts is
$$How many records were quarantined for which kind of error, without anything of their content: for sluice_monitor.
sluice.quarantine_by_error has an example of each.$$;
