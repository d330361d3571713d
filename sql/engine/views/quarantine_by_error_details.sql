create or replace view sluice.quarantine_by_error_details as
select e.pipeline, e.records, e.sqlstate, e.column_name as "column", e.constraint_name as "constraint",
  first.message as example, first.origin || ':' || first.position as first_at, e.last_seen_at
from (
  select p.name as pipeline, q.sqlstate, q.column_name, q.constraint_name, count(*) as records,
    min(q.quarantine_id) as first_id, max(q.last_seen_at) as last_seen_at
  from sluice.quarantine q
  join sluice.pipelines p using (pipeline_id)
  where q.status = 'open'
  group by p.name, q.sqlstate, q.column_name, q.constraint_name) e
join sluice.quarantine first on first.quarantine_id = e.first_id
order by e.pipeline, e.records desc, e.sqlstate;

comment on view sluice.quarantine_by_error_details is
$$Open quarantine, one line for each kind of error, the most frequent first, with the message and the place of its first
record.$$;

create or replace view sluice.quarantine_by_error as
select e.pipeline, e.records, e.sqlstate,
  sluice._error_line(null, e."column", e."constraint", e.example, (select sluice._width_left(50))) as error,
  sluice._excerpt(e.first_at, -20) as first_at
from sluice.quarantine_by_error_details e
order by e.pipeline, e.records desc, e.sqlstate;

comment on view sluice.quarantine_by_error is
$$Open quarantine, one line for each kind of error, the most frequent first, with an example. Everything in full is in
sluice.quarantine_by_error_details.$$;
