create or replace function sluice._resolve_replayed(p_batch_id bigint, p_version integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unsure integer[] := array(select distinct r.sluice_ordinal from pg_temp.sluice_rows r where r.sluice_state = 'u');
begin
  update sluice.quarantine q set keys = k.keys
  from pg_temp.sluice_replayed r join sluice._record_keys(false) k using (ordinal)
  where q.quarantine_id = r.quarantine_id;

  perform sluice._close_records(array(
    select r.quarantine_id from pg_temp.sluice_replayed r
    where r.ordinal not in (select f.ordinal from pg_temp.sluice_faults f) and r.ordinal <> all (v_unsure)),
    'replayed', p_batch_id, p_version, null);

  perform sluice._note_first_error(q)
  from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)
  where q.status = 'open';
  insert into sluice.quarantine_events (quarantine_id, event, batch_id, version)
  select r.quarantine_id, 'unsure', p_batch_id, p_version from pg_temp.sluice_replayed r
  where r.ordinal = any (v_unsure);
  insert into sluice.quarantine_events (quarantine_id, event, batch_id, version, sqlstate, message, constraint_name, column_name)
  select r.quarantine_id, 'failed', p_batch_id, p_version, f.sqlstate, f.message, f.constraint_name, f.column_name
  from pg_temp.sluice_replayed r join pg_temp.sluice_faults f using (ordinal);
  update sluice.quarantine q set version = p_version, sqlstate = f.sqlstate, message = f.message, detail = f.detail,
    constraint_name = f.constraint_name, column_name = f.column_name
  from pg_temp.sluice_replayed r join pg_temp.sluice_faults f using (ordinal)
  where q.quarantine_id = r.quarantine_id;
end
$$;

comment on function sluice._resolve_replayed(bigint, integer) is
  'Closes the records that a replay dealt with, gives those that are still bad their latest error, and adds to the history of each.';
