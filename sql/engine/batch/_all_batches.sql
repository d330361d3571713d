-- Every batch that was ever committed: those of the ledger, and of pruned ones what rows and records that name them
-- still need. It has no settings of its own, so that it becomes part of the queries that read it.
create or replace function sluice._all_batches()
returns table (
  batch_id bigint, pipeline_id integer, batch_seq bigint, kind text, version integer, reloads bigint,
  committed_at timestamptz)
language sql stable
as $$
  select b.batch_id, b.pipeline_id, b.batch_seq, b.kind, b.version, b.reloads, b.committed_at from sluice.batches b
  union all
  select b.batch_id, b.pipeline_id, null, b.kind, b.version, null, b.committed_at from sluice.pruned_batches b
$$;

comment on function sluice._all_batches() is
  'The batches of the ledger and those that were pruned from it (sluice.prune), without their place in it.';

-- Whether a pipeline, or a backfill of it, wrote a row t: a condition without functions of the engine, which other
-- servers do not have.
create or replace function sluice._is_own_sql(p_pipeline_id integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('t.sluice_batch in (
    select b.batch_id from sluice.batches b where b.pipeline_id = any (%1$L)
    union all select b.batch_id from sluice.pruned_batches b where b.pipeline_id = any (%1$L))',
    sluice._with_backfills(p_pipeline_id))
$$;
