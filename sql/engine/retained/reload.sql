-- The retained payloads of batches again, through the steps of every batch, for example after a transform was
-- corrected. What a later batch wrote stays (sluice._outdated_sql). One transaction: the caller's.
create or replace function sluice.reload(
  pipeline text, batches bigint[] default null, from_batch bigint default null, to_batch bigint default null,
  version integer default null, max_bad_ratio numeric default null)
returns table (
  reloads bigint, batch bigint, version_used integer, extracted bigint, quarantined bigint, filtered bigint,
  inserted bigint, updated bigint, deleted bigint, unchanged bigint, stale bigint, superseded bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(reload.pipeline);
  v_limit    numeric := coalesce(reload.max_bad_ratio, v_pipeline.max_bad_ratio);
  v_batch    sluice.batches;
  v_done     sluice.batches;
  v_ids      bigint[] := '{}';
  v_records  bigint := 0;
  v_bad      bigint := 0;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  for v_batch in
    select * from sluice._reload_batches(v_pipeline, reload.batches, reload.from_batch, reload.to_batch)
  loop
    v_done := sluice._reload_batch(v_pipeline, reload.version, v_batch);
    v_ids := v_ids || v_done.batch_id;
    v_records := v_records + v_done.extracted;
    v_bad := v_bad + v_done.quarantined;
    return query
    select v_done.reloads, v_done.batch_id, v_done.version, v_done.extracted, v_done.quarantined, v_done.filtered,
      v_done.inserted, v_done.updated, v_done.deleted, v_done.unchanged, v_done.stale, v_done.superseded;
  end loop;
  if v_bad > v_limit * v_records then
    raise exception using errcode = 'SL003',
      message = format('reload of pipeline "%s": %s%% of records are bad (limit %s%%)',
        v_pipeline.name, round(100.0 * v_bad / v_records, 1), trim_scale(100 * v_limit)),
      detail = (
        select coalesce(string_agg(format('%s × %s %s', g.n, g.sqlstate, g.message), E'\n' order by g.n desc), '')
        from (
          select count(*) as n, q.sqlstate, min(q.message) as message from sluice.quarantine q
          where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open' and q.last_batch_id = any (v_ids)
          group by q.sqlstate, q.column_name, q.constraint_name order by count(*) desc limit 3) g),
      hint = format('nothing was changed; sluice.compare(%L, ...) shows what the version does to these records;'
        ' or accept it once: max_bad_ratio => 1', v_pipeline.name);
  end if;
end
$$;

comment on function sluice.reload(text, bigint[], bigint, bigint, integer, numeric) is
$$Puts the retained payloads of batches through the transform again, in the order they arrived; one line per batch.
batches: which ones; or all from from_batch to to_batch. SL005 names those whose payloads are not retained (retain_raw).
version: which one, the active one when left out.
max_bad_ratio: in place of the pipeline's own; SL003 beyond it.
What a later batch wrote stays (stale); with order_by, the newer value. Records that are bad now go to quarantine, and
the row that they made before stays. Records that a batch had set aside are not reloaded: replay does that.
Example: select * from sluice.reload('orders', from_batch => 812, version => 3)$$;

-- The batches that a reload names, in the order they came; SL005 unless everything that they loaded is retained.
create or replace function sluice._reload_batches(
  p_pipeline sluice.pipelines, p_batches bigint[], p_from_batch bigint, p_to_batch bigint)
returns setof sluice.batches
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipelines integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
  v_ids       bigint[];
  v_unknown   bigint;
  v_missing   bigint[];
begin
  if (p_batches is null) = (coalesce(p_from_batch, p_to_batch) is null) then
    raise exception using errcode = 'SL005', message = 'reload needs batches',
      hint = 'batches => ''{812,813}'', or from_batch => 812, to_batch => 830';
  end if;
  -- A range leaves out replays, which retain nothing of their own.
  v_ids := coalesce(p_batches, array(
    select b.batch_id from sluice.batches b
    where b.pipeline_id = any (v_pipelines) and b.kind <> 'replay'
      and b.batch_id between coalesce(p_from_batch, b.batch_id) and coalesce(p_to_batch, b.batch_id)));
  select w.id into v_unknown from unnest(v_ids) w (id)
  where not exists (select from sluice.batches b where b.batch_id = w.id and b.pipeline_id = any (v_pipelines)) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s has no batch %s', p_pipeline.name, coalesce(v_unknown::text, 'null')),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  -- What a batch has quarantined is not retained.
  v_missing := array(
    select b.batch_id from sluice.batches b
    left join sluice._raw_counts(p_pipeline.pipeline_id, p_batches) c using (batch_id)
    where b.batch_id = any (v_ids) and b.transformed + b.filtered <> coalesce(c.records, 0)
    order by b.batch_id);
  if v_missing <> '{}' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: the payloads of batch %s%s are not retained', p_pipeline.name,
        array_to_string(v_missing[:5], ', '), ' and ' || nullif(cardinality(v_missing[6:]), 0) || ' more'),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  return query
  select b.* from sluice.batches b join sluice._batch_arrivals() a using (batch_id)
  where b.batch_id = any (v_ids) and b.transformed + b.filtered > 0
  order by a.arrived_at, b.batch_id;
end
$$;

-- The payloads of a batch again, through the steps of every batch. They count as having arrived when that batch did.
create or replace function sluice._reload_batch(p_pipeline sluice.pipelines, p_version integer, p_batch sluice.batches)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ledger sluice.batches;
begin
  perform sluice._open_batch(p_pipeline, p_version, null, 'replay', 'arrival_only');
  perform sluice._lock_target((select c.target from pg_temp.sluice_compiled c));
  perform sluice._stage_retained(p_pipeline.pipeline_id, p_batch.batch_id);
  insert into pg_temp.sluice_replayed (ordinal, arrived_at)
  select s.ordinal, a.arrived_at
  from pg_temp.sluice_staging s join sluice._batch_arrivals() a on a.batch_id = p_batch.batch_id;
  perform sluice.transform_batch(p_batch.origins);
  v_ledger := sluice._load_rows();
  v_ledger.reloads := p_batch.batch_id;
  perform sluice._write_quarantine();
  return sluice._write_ledger(v_ledger);
end
$$;
