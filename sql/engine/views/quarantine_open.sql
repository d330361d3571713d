create or replace view sluice.quarantine_open as
select
  q.quarantine_id as id,
  p.name as pipeline,
  q.sqlstate,
  sluice._error_line(null, q.column_name, q.constraint_name, q.message, (select sluice._width_left(50))) as error,
  sluice._excerpt(q.origin || ':' || q.position, -20) as place
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
where q.status = 'open'
order by q.quarantine_id;

comment on view sluice.quarantine_open is
$$Records waiting for replay or discard, one line each. Everything about one of them, its payload included: select *
from sluice.quarantine_open_details where id = 42$$;

create or replace view sluice.quarantine_open_details as
select
  q.quarantine_id as id,
  p.name as pipeline,
  q.sqlstate,
  q.column_name as "column",
  q.constraint_name as "constraint",
  q.message,
  q.detail,
  q.origin,
  q.position,
  q.version,
  q.seen_count as seen,
  q.first_seen_at,
  q.last_seen_at,
  q.last_batch_id as batch,
  sluice._payload_text(q.payload) collate "C" as payload
from sluice.quarantine q
join sluice.pipelines p using (pipeline_id)
where q.status = 'open'
order by q.quarantine_id;

comment on view sluice.quarantine_open_details is
$$Records waiting for replay or discard. payload: as text, with \ooo for bytes that are none; the exact bytes are in
sluice.quarantine.$$;
