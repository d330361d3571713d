create or replace function sluice._verify_books(p_pipeline_id integer, out is_ok boolean, out detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with ledger as (
    select * from sluice.batches b where b.pipeline_id = p_pipeline_id
  ), broken as (
    select 1 as place, batch_id as number, format('batch %s: extracted=%s transformed=%s filtered=%s quarantined=%s produced=%s', batch_id, extracted, transformed, filtered, quarantined, produced) as what
    from ledger
    where extracted <> transformed + filtered + quarantined or produced <> inserted + updated + deleted + unchanged + stale + superseded
    union all
    select 2, run_id, format('run %s: its totals are not the sums of its batches', run_id)
    from sluice.runs r
    left join (
      select b.run_id, count(*) as batches, sum(b.extracted) as extracted, sum(b.transformed) as transformed, sum(b.filtered) as filtered,
        sum(b.quarantined) as quarantined, sum(b.produced) as produced, sum(b.inserted) as inserted, sum(b.updated) as updated,
        sum(b.deleted) as deleted, sum(b.unchanged) as unchanged, sum(b.stale) as stale, sum(b.superseded) as superseded
      from ledger b group by b.run_id) s using (run_id)
    where r.pipeline_id = p_pipeline_id
      and (r.batches, r.extracted, r.transformed, r.filtered, r.quarantined, r.produced, r.inserted, r.updated, r.deleted, r.unchanged, r.stale, r.superseded)
        is distinct from (coalesce(s.batches, 0), coalesce(s.extracted, 0), coalesce(s.transformed, 0), coalesce(s.filtered, 0), coalesce(s.quarantined, 0), coalesce(s.produced, 0),
          coalesce(s.inserted, 0), coalesce(s.updated, 0), coalesce(s.deleted, 0), coalesce(s.unchanged, 0), coalesce(s.stale, 0), coalesce(s.superseded, 0))
    union all
    -- A replay of quarantined records quarantines nothing that was not there, a reload perhaps
    -- something; what a backfill sets aside waits with the rest of its pipeline.
    select 3, 0, format('batches quarantined %s records, the quarantine has seen %s', l.records, q.records)
    from (
      select coalesce(sum(b.quarantined) filter (where b.kind <> 'replay'), 0) as records,
        coalesce(sum(b.quarantined) filter (where b.reloads is not null), 0) as reloaded
      from sluice.batches b where b.pipeline_id = any (sluice._with_backfills(p_pipeline_id))) l,
      (select coalesce(sum(seen_count), 0) as records from sluice.quarantine where pipeline_id = p_pipeline_id) q
    where q.records not between l.records and l.records + l.reloaded
      and (select p.backfill_of is null from sluice.pipelines p where p.pipeline_id = p_pipeline_id)
  )
  select count(*) = 0, coalesce(sluice._first_of(array_agg(what order by place, number)),
    (select format('records: %s, batches: %s, all accounted for', coalesce(sum(extracted), 0), count(*)) from ledger where kind not in ('rewind', 'skip')))
  from broken
$$;

comment on function sluice._verify_books(integer) is
  'Whether records and rows add up in every batch, batches in every run, and quarantined records in the quarantine.';
