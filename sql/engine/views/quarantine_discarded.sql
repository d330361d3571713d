create or replace view sluice.quarantine_discarded as
select
  q.quarantine_id as id,
  p.name as pipeline,
  q.reason,
  q.closed_at as discarded_at,
  q.closed_by as discarded_by,
  q.sqlstate,
  q.column_name as "column",
  q.constraint_name as "constraint",
  q.message,
  q.origin,
  q.position,
  q.seen_count as seen,
  q.last_seen_at,
  q.last_batch_id as batch,
  sluice._payload_text(q.payload) collate "C" as payload
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
where q.status = 'discarded'
order by q.quarantine_id;

comment on view sluice.quarantine_discarded is
  'Records that were discarded, with the reason; sluice.reopen opens them again. seen, last_seen_at, batch: '
  'the source may have brought the same bytes again since.';
