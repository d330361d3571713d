create or replace view sluice.quarantine_by_error_details as
select
  p.name as pipeline,
  count(*) as records,
  q.sqlstate,
  q.column_name as "column",
  q.constraint_name as "constraint",
  min(q.message) as example,
  min(q.origin || ':' || q.position) as first_at,
  max(q.last_seen_at) as last_seen_at
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
where q.status = 'open'
group by p.name, q.sqlstate, q.column_name, q.constraint_name
order by p.name, count(*) desc, q.sqlstate;

comment on view sluice.quarantine_by_error_details is
  'Open quarantine, one line for each kind of error, the most frequent first.';
