create or replace function sluice.verify(pipeline text default null)
returns table (pipeline_name text, check_name text, is_ok boolean, detail text)
language plpgsql stable
set search_path = ''
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
begin
  if verify.pipeline is not null then
    perform sluice._find_pipeline(verify.pipeline);
  end if;
  for v_pipeline in
    select p.* from sluice.pipelines p left join sluice.pipelines o on o.pipeline_id = p.backfill_of
    where verify.pipeline is null or verify.pipeline in (p.name, o.name)
    order by coalesce(o.name, p.name), p.backfill_of is not null, p.pipeline_id
  loop
    return query
    with ledger as (
      select b.*, lag(b.batch_seq, 1, 0::bigint) over w as seq_before, lag(b.cursor_after) over w as cursor_expected
      from sluice.batches b where b.pipeline_id = v_pipeline.pipeline_id and b.batch_seq is not null
      window w as (order by b.batch_seq)
    ), broken as (
      select format('batch %s follows batch number %s with number %s, cursor %s follows %s', batch_id, seq_before, batch_seq, cursor_before, cursor_expected) as what
      from ledger
      where batch_seq <> seq_before + 1 or cursor_before is distinct from cursor_expected
      union all
      select format('the ledger ends at batch number %s and cursor %s, the state at %s and %s',
        last.batch_seq, last.cursor_after, s.batch_seq, s.cursor)
      from sluice.etl_state s
      left join (select * from ledger order by batch_seq desc limit 1) last on true
      where s.pipeline_id = v_pipeline.pipeline_id
        and (s.batch_seq <> coalesce(last.batch_seq, 0) or s.cursor is distinct from last.cursor_after)
    )
    select v_pipeline.name, 'cursor chain', count(*) = 0,
      coalesce(min(what) || case when count(*) > 1 then format(' (and %s more)', count(*) - 1) else '' end,
        (select format('batches: %s, unbroken', count(*)) from ledger))
    from broken;

    return query
    with broken as (
      select format('batch %s: extracted=%s transformed=%s filtered=%s quarantined=%s produced=%s', batch_id, extracted, transformed, filtered, quarantined, produced) as what
      from sluice.batches b
      where b.pipeline_id = v_pipeline.pipeline_id
        and (extracted <> transformed + filtered + quarantined or produced <> inserted + updated + deleted + unchanged + stale + superseded)
      union all
      select format('run %s: its totals are not the sums of its batches', r.run_id)
      from sluice.runs r
      cross join lateral (
        select count(*) as batches, coalesce(sum(b.extracted), 0) as extracted, coalesce(sum(b.transformed), 0) as transformed,
          coalesce(sum(b.filtered), 0) as filtered, coalesce(sum(b.quarantined), 0) as quarantined, coalesce(sum(b.produced), 0) as produced,
          coalesce(sum(b.inserted), 0) as inserted, coalesce(sum(b.updated), 0) as updated, coalesce(sum(b.deleted), 0) as deleted,
          coalesce(sum(b.unchanged), 0) as unchanged, coalesce(sum(b.stale), 0) as stale, coalesce(sum(b.superseded), 0) as superseded
        from sluice.batches b where b.run_id = r.run_id) s
      where r.pipeline_id = v_pipeline.pipeline_id
        and (r.batches, r.extracted, r.transformed, r.filtered, r.quarantined, r.produced, r.inserted, r.updated, r.deleted, r.unchanged, r.stale, r.superseded)
          is distinct from (s.batches, s.extracted, s.transformed, s.filtered, s.quarantined, s.produced, s.inserted, s.updated, s.deleted, s.unchanged, s.stale, s.superseded)
    )
    select v_pipeline.name, 'books', count(*) = 0,
      coalesce(min(what) || case when count(*) > 1 then format(' (and %s more)', count(*) - 1) else '' end,
        (select format('records: %s, batches: %s, all accounted for', coalesce(sum(extracted), 0), count(*))
         from sluice.batches b where b.pipeline_id = v_pipeline.pipeline_id and b.kind in ('load', 'replay')))
    from broken;

    -- A backfill has its target and its versions from its pipeline.
    continue when v_pipeline.backfill_of is not null;
    return query
    select v_pipeline.name, 'lineage', l.is_ok, l.detail from sluice._verify_lineage(v_pipeline.target) l;

    return query
    select v_pipeline.name, 'function checksums', count(*) filter (where not is_same) = 0,
      coalesce(min(format('version %s: %s is not what was registered', version, function)) filter (where not is_same),
        format('versions: %s, as registered', count(*)))
    from (
      select t.version, t.function, coalesce(sluice._function_sha256(to_regprocedure(t.function)) = t.sha256, false) as is_same
      from sluice.transforms t where t.pipeline_id = v_pipeline.pipeline_id) versions;
  end loop;
end
$$;

comment on function sluice.verify(text) is
  'Proof for one pipeline or all, with their backfills: the cursors of the ledger form one chain that ends at the state; records and rows are accounted for in every batch and run; every row of the target names a batch of the ledger (reads all of the target); functions are what was registered.';
