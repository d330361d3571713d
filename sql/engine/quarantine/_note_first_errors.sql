create or replace function sluice._note_first_errors(p_ids bigint[])
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.quarantine_events (quarantine_id, event, happened_at, done_by, batch_id, version,
    sqlstate, message, constraint_name, column_name)
  select q.quarantine_id, 'quarantined', q.last_seen_at, coalesce(b.recorded_by, 'unknown'), q.last_batch_id, q.version,
    q.sqlstate, q.message, q.constraint_name, q.column_name
  from sluice.quarantine q
  left join sluice.batches b on b.batch_id = q.last_batch_id
  where q.quarantine_id = any (p_ids)
    and not exists (select from sluice.quarantine_events e where e.quarantine_id = q.quarantine_id)
  order by q.quarantine_id
$$;

comment on function sluice._note_first_errors(bigint[]) is
  'The history of a record begins with its error; written when something else happens to it, as most have no history.';
