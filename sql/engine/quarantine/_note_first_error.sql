create or replace function sluice._note_first_error(p_record sluice.quarantine)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.quarantine_events (quarantine_id, event, happened_at, done_by, batch_id, version, sqlstate, message, constraint_name, column_name)
  select p_record.quarantine_id, 'quarantined', p_record.last_seen_at, coalesce(b.recorded_by, 'unknown'), p_record.last_batch_id, p_record.version, p_record.sqlstate,
    p_record.message, p_record.constraint_name, p_record.column_name
  from (values (true)) here
  left join sluice.batches b on b.batch_id = p_record.last_batch_id
  where not exists (select from sluice.quarantine_events e where e.quarantine_id = p_record.quarantine_id)
$$;

comment on function sluice._note_first_error(sluice.quarantine) is
  'The history of a record begins with its error; written when something else happens to it, as most have no history.';
