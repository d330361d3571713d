create or replace view sluice.quarantine_history as
select
  e.quarantine_id as id,
  e.event,
  date_trunc('second', e.happened_at)::timestamp as happened_at,
  e.done_by,
  e.batch_id as batch,
  coalesce(sluice._error_line(e.sqlstate, e.column_name, e.constraint_name, e.message, 32),
    sluice._excerpt(e.reason, 32)) as what
from sluice.quarantine_events e
order by e.quarantine_id, e.event_id;

comment on view sluice.quarantine_history is
$$What became of quarantined records, step by step: failed replays, amendments, replays, discards, with the error or the
reason. A record to which nothing happened has no history. sluice.quarantine_history_details has the payloads before
amendments, too.$$;

create or replace view sluice.quarantine_history_details as
select
  e.quarantine_id as id,
  p.name as pipeline,
  e.event,
  e.happened_at,
  e.done_by,
  e.batch_id as batch,
  e.version,
  e.sqlstate,
  e.column_name as "column",
  e.constraint_name as "constraint",
  coalesce(e.message, e.reason) as message,
  sluice._payload_text(e.payload) collate "C" as payload_before
from sluice.quarantine_events e
join sluice.quarantine q using (quarantine_id)
join sluice.pipelines p using (pipeline_id)
order by e.quarantine_id, e.event_id;

comment on view sluice.quarantine_history_details is
$$What became of quarantined records, step by step: failed replays, amendments with the payload before, replays,
discards. A record to which nothing happened has no history.$$;
