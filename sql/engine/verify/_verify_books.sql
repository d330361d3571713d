create or replace function sluice._verify_books(p_pipeline_id integer, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
declare
  v_ids integer[] := sluice._with_backfills(p_pipeline_id);
begin
  with ledger as (
    select b.batch_id, b.kind, b.extracted, b.transformed, b.filtered, b.quarantined, b.produced, b.inserted, b.updated,
      b.deleted, b.unchanged, b.stale, b.superseded, b.targets, b.carried
    from sluice.batches b where b.pipeline_id = p_pipeline_id
  ), broken as (
    select 1 as place, batch_id as number,
      format('batch %s: extracted=%s transformed=%s filtered=%s quarantined=%s produced=%s', batch_id, extracted,
        transformed, filtered, quarantined, produced) as what
    from ledger
    where extracted <> transformed + filtered + quarantined
      or produced <> inserted + updated + deleted + unchanged + stale + superseded
    union all
    select 2, l.batch_id, format('batch %s: its targets come to produced=%s inserted=%s updated=%s deleted=%s '
      'unchanged=%s stale=%s superseded=%s',
      l.batch_id, t.produced, t.inserted, t.updated, t.deleted, t.unchanged, t.stale, t.superseded)
    from ledger l
    cross join lateral (
      select sum(x.produced) as produced, sum(x.inserted) as inserted, sum(x.updated) as updated,
        sum(x.deleted) as deleted, sum(x.unchanged) as unchanged, sum(x.stale) as stale, sum(x.superseded) as superseded
      from jsonb_to_recordset(l.targets) as x (produced bigint, inserted bigint, updated bigint, deleted bigint,
        unchanged bigint, stale bigint, superseded bigint)) t
    where l.targets is not null
      and (l.produced, l.inserted, l.updated, l.deleted, l.unchanged, l.stale, l.superseded)
        <> (t.produced, t.inserted, t.updated, t.deleted, t.unchanged, t.stale, t.superseded)
    union all
    -- A replay of quarantined records quarantines nothing that was not there, a reload perhaps
    -- something; what a backfill sets aside waits with the rest of its pipeline.
    select 3, 0, format('batches quarantined %s records, the quarantine has seen %s', l.records, q.records)
    from (
      select coalesce(sum(b.quarantined) filter (where b.kind <> 'replay'), 0) as records,
        coalesce(sum(b.quarantined) filter (where b.reloads is not null), 0) as reloaded
      from sluice.batches b where b.pipeline_id = any (v_ids)) l,
      (select coalesce(sum(n.seen_count), 0) as records
       from (
         select seen_count from sluice.quarantine where pipeline_id = p_pipeline_id
         union all select seen_count from sluice.pruned where pipeline_id = p_pipeline_id) n) q
    where q.records not between l.records and l.records + l.reloaded
      and (select p.backfill_of is null from sluice.pipelines p where p.pipeline_id = p_pipeline_id)
  )
  select count(*) = 0, coalesce(sluice._first_and_more(array_agg(what order by place, number)),
    (select format('records: %s, batches: %s, all accounted for', coalesce(sum(extracted), 0),
      coalesce(sum(coalesce(carried, 1)), 0)) from ledger
      where kind not in ('rewind', 'skip', 'reconcile', 'erase')))
    into is_ok, detail
  from broken;
end
$$;

comment on function sluice._verify_books(integer) is
  'Whether records and rows add up in every batch, and quarantined records in the quarantine.';
