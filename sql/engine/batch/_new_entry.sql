-- Entries of the ledger that no batch of records makes: of rewinds, snapshots, what people accept or erase. They count
-- nothing until told otherwise.
create or replace function sluice._new_entry(p_pipeline sluice.pipelines, p_kind text, p_note text default null)
returns sluice.batches
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_populate_record(null::sluice.batches, jsonb_build_object('pipeline_id', p_pipeline.pipeline_id,
    'kind', p_kind, 'version', p_pipeline.active_version, 'started_at', clock_timestamp(), 'note', p_note,
    'extracted', 0, 'transformed', 0, 'filtered', 0, 'quarantined', 0, 'produced', 0, 'inserted', 0, 'updated', 0,
    'deleted', 0, 'unchanged', 0, 'stale', 0, 'superseded', 0, 'retried', 0, 'known', 0))
$$;

comment on function sluice._new_entry(sluice.pipelines, text, text) is
  'An entry of the ledger without its number, and with all its counters 0.';

-- What it says of one of several targets.
create or replace function sluice._target_entry(p_target text, p_updated bigint, p_deleted bigint)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('target', p_target, 'produced', p_updated + p_deleted, 'inserted', 0,
    'updated', p_updated, 'deleted', p_deleted, 'unchanged', 0, 'stale', 0, 'superseded', 0)
$$;
