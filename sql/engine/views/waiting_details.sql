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
$$What a source offers and could not be read to its end: a file that ends inside a record, a file or object that was begun
and is gone, a sweep short of its total, what --max-batches left. is_overdue: for longer than settle_seconds, by which a
run ends with exit code 5.$$;
