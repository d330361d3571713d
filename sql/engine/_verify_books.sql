create or replace function sluice._verify_books(p_pipeline_id integer, out is_ok boolean, out detail text)
language sql stable
set search_path = ''
as $$
  with ledger as (
    select * from sluice.batches b where b.pipeline_id = p_pipeline_id
  ), broken as (
    select 1 as place, batch_id as number, format('batch %s: extracted=%s transformed=%s filtered=%s quarantined=%s produced=%s', batch_id, extracted, transformed, filtered, quarantined, produced) as what
    from ledger
    where extracted <> transformed + filtered + quarantined or produced <> inserted + updated + deleted + unchanged + stale + superseded
    union all
    select 2, r.run_id, format('run %s: its totals are not the sums of its batches', r.run_id)
    from sluice.runs r
    left join lateral (
      select count(*) as batches, coalesce(sum(b.extracted), 0) as extracted, coalesce(sum(b.transformed), 0) as transformed,
        coalesce(sum(b.filtered), 0) as filtered, coalesce(sum(b.quarantined), 0) as quarantined, coalesce(sum(b.produced), 0) as produced,
        coalesce(sum(b.inserted), 0) as inserted, coalesce(sum(b.updated), 0) as updated, coalesce(sum(b.deleted), 0) as deleted,
        coalesce(sum(b.unchanged), 0) as unchanged, coalesce(sum(b.stale), 0) as stale, coalesce(sum(b.superseded), 0) as superseded
      from ledger b where b.run_id = r.run_id) s on true
    where r.pipeline_id = p_pipeline_id
      and (r.batches, r.extracted, r.transformed, r.filtered, r.quarantined, r.produced, r.inserted, r.updated, r.deleted, r.unchanged, r.stale, r.superseded)
        is distinct from (s.batches, s.extracted, s.transformed, s.filtered, s.quarantined, s.produced, s.inserted, s.updated, s.deleted, s.unchanged, s.stale, s.superseded)
    union all
    -- A replay of quarantined records quarantines nothing that was not there; what a backfill sets
    -- aside waits with the rest of its pipeline.
    select 3, 0, format('batches quarantined %s records, the quarantine has seen %s', l.records, q.records)
    from (
      select coalesce(sum(b.quarantined), 0) as records from sluice.batches b
      where b.pipeline_id = any (sluice._with_backfills(p_pipeline_id)) and (b.kind <> 'replay' or b.reloads is not null)) l,
      (select coalesce(sum(seen_count), 0) as records from sluice.quarantine where pipeline_id = p_pipeline_id) q
    where l.records <> q.records
      and (select p.backfill_of is null from sluice.pipelines p where p.pipeline_id = p_pipeline_id)
  )
  select count(*) = 0, coalesce(sluice._first_of(array_agg(what order by place, number)),
    (select format('records: %s, batches: %s, all accounted for', coalesce(sum(extracted), 0), count(*)) from ledger where kind not in ('rewind', 'skip')))
  from broken
$$;

comment on function sluice._verify_books(integer) is
  'Whether records and rows add up in every batch, batches in every run, and quarantined records in the quarantine.';
