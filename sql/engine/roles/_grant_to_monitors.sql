-- Columns by name: a new one is not visible until it is known to hold no data. Cursors, messages and notes may.
create or replace function sluice._grant_to_monitors()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_routine record;
begin
  revoke all on all tables in schema sluice from sluice_monitor;
  grant select on
    sluice.engine, sluice.pipelines, sluice.activations, sluice.waiting, sluice.transforms, sluice.also_targets,
    sluice.status, sluice.status_details, sluice.backfills, sluice.recent_runs, sluice.recent_batches, sluice.versions,
    sluice.waiting_details, sluice.quarantine_counts, sluice.owners, sluice._mine, sluice._loaded, sluice.manual
    to sluice_monitor;
  grant select (pipeline_id, epoch, batch_seq, updated_at) on sluice.etl_state to sluice_monitor;
  grant select (pipeline_id, object, is_done, last_batch_id, updated_at) on sluice.source_objects to sluice_monitor;
  grant select (run_id, pipeline_id, epoch, started_at, finished_at, outcome, loader, started_by) on sluice.runs
    to sluice_monitor;
  grant select (batch_id, pipeline_id, batch_seq, run_id, kind, version, started_at, committed_at, extracted,
    transformed, filtered, quarantined, produced, inserted, updated, deleted, unchanged, stale, superseded, retried,
    known, reloads, rewound_to, recorded_by, targets) on sluice.batches to sluice_monitor;
  grant select (quarantine_id, pipeline_id, version, sqlstate, constraint_name, column_name, status, seen_count,
    first_seen_at, last_seen_at, first_batch_id, last_batch_id, resolved_batch_id, closed_at, closed_by)
    on sluice.quarantine to sluice_monitor;
  grant select (delivery_id, pipeline_id, route, operation, state, batch_id, attempts, attempted_at, redelivery, status,
    noted_at, closed_at) on sluice.outbox to sluice_monitor;
  grant select (pipeline_id, route, target, epoch, sent_count, sender, started_at, finished_at, outcome)
    on sluice.delivery_state to sluice_monitor;
  for v_routine in
    select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = 'sluice'::regnamespace and not p.prosecdef
      and (p.proname in ('doctor', 'pipeline_name') or p.proname like '\_%')
  loop
    execute format('grant execute on function %s to sluice_monitor', v_routine.name);
  end loop;
end
$$;

comment on function sluice._grant_to_monitors() is
  'Rights of sluice_monitor: counts, and nothing of what pipelines load.';
