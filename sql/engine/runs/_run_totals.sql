create or replace function sluice._run_totals(p_run_id bigint)
returns table (batches bigint, extracted bigint, written bigint, quarantined bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select count(*), coalesce(sum(b.extracted), 0)::bigint, coalesce(sum(b.inserted + b.updated + b.deleted), 0)::bigint,
    coalesce(sum(b.quarantined), 0)::bigint
  from sluice.batches b where b.run_id = p_run_id
$$;

comment on function sluice._run_totals(bigint) is
  'What a run has counted so far: the sums over its batches.';
