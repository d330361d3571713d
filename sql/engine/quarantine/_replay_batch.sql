create or replace function sluice._replay_batch(
  p_pipeline sluice.pipelines, p_version integer, p_ids bigint[], p_precedence text, p_is_quiet boolean,
  out ledger sluice.batches, out unsure bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch_id bigint := sluice._open_batch(p_pipeline, p_version, null, 'replay', p_precedence);
  v_origins  jsonb;
begin
  -- Before the records are locked: a load in progress holds the target and may want the records.
  perform sluice._lock_target((select c.target from pg_temp.sluice_compiled c));
  v_origins := sluice._stage_quarantined(p_pipeline.pipeline_id, p_ids, true);
  if v_origins = '[]' then
    return;
  end if;
  perform sluice.transform_batch(v_origins);
  ledger := sluice._load_rows();
  select count(distinct r.sluice_ordinal) into unsure from pg_temp.sluice_rows r where r.sluice_state = 'u';
  if p_is_quiet and ledger.quarantined + unsure = ledger.extracted then
    ledger.batch_id := null; -- as it was: nothing to write down
    return;
  end if;
  ledger := sluice._write_ledger(ledger);
  -- What it found unchanged would look missing to a read in progress, see _note_full_read.
  insert into sluice.snapshot_keys (pipeline_id, batch_id, key_hashes, is_from_elsewhere)
  select s.pipeline_id, v_batch_id, k.key_hashes, true
  from pg_temp.sluice_compiled c
  join sluice.snapshots s on s.pipeline_id = p_pipeline.pipeline_id and s.spoilt_by is null
  cross join lateral sluice._batch_keys(c.batch_keys_sql) k
  where c.batch_keys_sql is not null and k.key_hashes <> '{}';
  perform sluice._resolve_replayed(v_batch_id, ledger.version);
end
$$;

comment on function sluice._replay_batch(sluice.pipelines, integer, bigint[], text, boolean) is
$$One batch of quarantined records, through the steps of any batch. No batch_id when none of them is open any more, or,
with p_is_quiet, when none could be loaded. unsure: records left open, as a row in the target may be newer.$$;

-- Closes the records that the replay dealt with, gives those that are still bad their latest error, and adds to the
-- history of each.
create or replace function sluice._resolve_replayed(p_batch_id bigint, p_version integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- Look-ups of the current records only: the quarantine may be very large.
set enable_hashjoin = off
set enable_mergejoin = off
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
  insert into sluice.replayed_keys (batch_id, key_hash, arrived_at) values (p_batch_id, '', now());
  perform sluice._note_replayed_keys((select c.target from pg_temp.sluice_compiled c));

  perform sluice._note_first_errors(array(
    select r.quarantine_id from pg_temp.sluice_replayed r join sluice.quarantine q using (quarantine_id)
    where q.status = 'open'));
  insert into sluice.quarantine_events (quarantine_id, event, batch_id, version)
  select r.quarantine_id, 'unsure', p_batch_id, p_version from pg_temp.sluice_replayed r
  where r.ordinal = any (v_unsure);
  insert into sluice.quarantine_events
    (quarantine_id, event, batch_id, version, sqlstate, message, constraint_name, column_name)
  select r.quarantine_id, 'failed', p_batch_id, p_version, f.sqlstate, f.message, f.constraint_name, f.column_name
  from pg_temp.sluice_replayed r join pg_temp.sluice_faults f using (ordinal);
  update sluice.quarantine q set version = p_version, sqlstate = f.sqlstate, message = f.message, detail = f.detail,
    constraint_name = f.constraint_name, column_name = f.column_name
  from pg_temp.sluice_replayed r join pg_temp.sluice_faults f using (ordinal)
  where q.quarantine_id = r.quarantine_id;
end
$$;
