-- The batch transaction, as the loader runs it and as anyone can run it by hand in psql:
--
--   begin;
--   select * from sluice.begin_batch('orders', run_id);      -- temp tables, active version
--   copy pg_temp.sluice_staging from stdin (format binary);  -- raw payloads, or fields into sluice_fields
--   select * from sluice.transform_batch(origins);           -- pure: touches nothing permanent
--   select * from sluice.load_batch(run_id, epoch, batch_seq, cursor, objects);
--   commit;
--
-- Until load_batch no lock is held that another session could wait for, so a loader frozen in
-- copy stops nobody. load_batch locks the state row, checks the fence, merges, quarantines,
-- writes the ledger and moves the cursor. Nothing is visible to anyone before the commit, and
-- everything is after it. The temporary tables are described in _open_batch.
create or replace function sluice.begin_batch(pipeline text, run_id bigint default null)
returns table (version integer, batch_id bigint, input_columns text[], wants_payloads boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off -- the sizes of temporary tables are guesses, by which it would seem worth it
as $$
declare
  v_pipeline sluice.pipelines;
  v_batch_id bigint;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_pipeline := sluice._find_own_pipeline(begin_batch.pipeline);
  perform sluice._refuse_paused(v_pipeline);
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline.pipeline_id);
  v_batch_id := sluice._open_batch(v_pipeline, null, begin_batch.run_id, 'load',
    case when v_pipeline.backfill_of is null then 'live' else 'backfill' end);
  if current_setting('application_name') like 'sluice%' then
    perform set_config('application_name',
      format('sluice %s run %s batch %s', v_pipeline.name, begin_batch.run_id, v_batch_id), true);
  end if;
  return query
  select c.version, v_batch_id, c.input_columns, c.input_columns is not null and (
    -- Looked up, not joined: row security then checks only the owner of that pipeline.
    (select o.retain_raw from sluice.pipelines o where o.pipeline_id = b.owner_id) is not null or exists (
    select from sluice.quarantine q
    where q.pipeline_id = b.owner_id and q.status = 'open' and q.last_seen_at < coalesce(b.run_started_at, now())))
  from pg_temp.sluice_batch b cross join pg_temp.sluice_compiled c;
end
$$;

comment on function sluice.begin_batch(text, bigint) is
$$First step of a batch: makes or empties the temporary tables and fixes the version.
input_columns: set if the transform takes a row. The fields of a record may then be copied into pg_temp.sluice_fields
  (sluice_ordinal, sluice_position, sluice_digest, then these columns) instead of its payload into
  pg_temp.sluice_staging.
wants_payloads: copy such payloads into pg_temp.sluice_payloads as well: they are retained, or compared with the records
  open in quarantine.
Raises SL002 (isolation level), SL005 (the definition no longer fits), SL006 (the transform was replaced), SL007
(paused).$$;
