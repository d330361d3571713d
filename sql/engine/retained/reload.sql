-- The retained payloads of batches once more, by the way every batch goes, say after a mended
-- transform. What a later batch wrote stays (sluice._outdated_sql). One transaction: the caller's.
create or replace function sluice.reload(
  pipeline text, batches bigint[] default null, from_batch bigint default null, to_batch bigint default null,
  version integer default null, max_bad_ratio numeric default null)
returns table (reloads bigint, batch bigint, version_used integer, extracted bigint, quarantined bigint, filtered bigint,
  inserted bigint, updated bigint, deleted bigint, unchanged bigint, stale bigint, superseded bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(reload.pipeline);
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
    select v_done.reloads, v_done.batch_id, v_done.version, v_done.extracted, v_done.quarantined, v_done.filtered,
      v_done.inserted, v_done.updated, v_done.deleted, v_done.unchanged, v_done.stale, v_done.superseded
    into reloads, batch, version_used, extracted, quarantined, filtered, inserted, updated, deleted, unchanged, stale, superseded;
    return next;
  end loop;
  if v_bad > v_limit * v_records then
    raise exception using errcode = 'SL003',
      message = format('reload of pipeline "%s": %s%% of records are bad (limit %s%%)', v_pipeline.name, round(100.0 * v_bad / v_records, 1), trim_scale(100 * v_limit)),
      detail = (
        select coalesce(string_agg(format('%s × %s %s', g.n, g.sqlstate, g.message), E'\n' order by g.n desc), '')
        from (
          select count(*) as n, q.sqlstate, min(q.message) as message from sluice.quarantine q
          where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open' and q.last_batch_id = any (v_ids)
          group by q.sqlstate, q.column_name, q.constraint_name order by count(*) desc limit 3) g),
      hint = format('nothing was changed; sluice.compare(%L, ...) shows what the version does to these records; or accept it once: max_bad_ratio => 1', v_pipeline.name);
  end if;
end
$$;

comment on function sluice.reload(text, bigint[], bigint, bigint, integer, numeric) is
  'Puts the retained payloads of batches through the transform again, in the order they arrived; one line a batch. batches: which ones; or all from from_batch to to_batch. version: which one, the active one when left out. What a later batch wrote stays (stale); with order_by, the newer value. Records that are bad now go to quarantine, and the row that they made before stays; SL003 beyond max_bad_ratio (the pipeline''s own when left out). SL005 names the batches whose payloads are not retained (see retain_raw). Records that a batch had set aside are not reloaded: replay does that. Example: select * from sluice.reload(''orders'', from_batch => 812, version => 3)';
