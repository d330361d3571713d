create or replace view sluice.quarantine_by_error as
select
  p.name as pipeline,
  count(*) as records,
  q.sqlstate,
  sluice._error_line(null, q.column_name, q.constraint_name, min(q.message), (select sluice._width_left(50))) as error,
  sluice._excerpt(min(q.origin || ':' || q.position), -20) as first_at
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
where q.status = 'open'
group by p.name, q.sqlstate, q.column_name, q.constraint_name
order by p.name, count(*) desc, q.sqlstate;

comment on view sluice.quarantine_by_error is
$$Open quarantine, one line for each kind of error, the most frequent first, with an example. Everything in full is in
sluice.quarantine_by_error_details.$$;

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
