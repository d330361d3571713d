create or replace function sluice._run_totals(p_run_id bigint)
returns table (batches bigint, extracted bigint, written bigint, quarantined bigint)
language sql stable rows 1
-- Without settings of its own: it becomes part of the query of a view.
as $$
  select pg_catalog.count(*), coalesce(pg_catalog.sum(b.extracted), 0)::pg_catalog.int8,
    coalesce(pg_catalog.sum(b.inserted + b.updated + b.deleted), 0)::pg_catalog.int8,
    coalesce(pg_catalog.sum(b.quarantined), 0)::pg_catalog.int8
  from sluice.batches b where b.run_id = p_run_id
$$;

comment on function sluice._run_totals(bigint) is
  'What a run has counted so far: the sums over its batches.';
