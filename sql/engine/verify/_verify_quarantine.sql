create or replace function sluice._verify_quarantine(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found  text[];
  v_loaded record;
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
begin
  v_found := array(
    select x.what from sluice.quarantine q
    cross join lateral (
      select format('record %s names batch %s, which is not in the ledger', q.quarantine_id, b.id) as what
      from unnest(array[q.first_batch_id, q.last_batch_id, q.resolved_batch_id]) b (id)
      where b.id is not null and not exists (select from sluice.batches l where l.batch_id = b.id and l.pipeline_id = any (v_ids))
      union all
      select format('record %s is %s by batch %s, which is a %s', q.quarantine_id, q.status, l.batch_id, l.kind)
      from sluice.batches l
      where l.batch_id = q.resolved_batch_id and l.pipeline_id = any (v_ids)
        and (l.kind in ('rewind', 'skip') or (q.status = 'replayed') <> (l.kind = 'replay'))
      union all
      select format('record %s is %s, and its history does not say so', q.quarantine_id, q.status)
      where q.status <> coalesce((
        select nullif(e.event, 'reopened') from sluice.quarantine_events e
        where e.quarantine_id = q.quarantine_id and e.event in ('replayed', 'loaded', 'discarded', 'reopened')
        order by e.event_id desc limit 1), 'open')) x
    where q.pipeline_id = p_pipeline.pipeline_id
    order by q.quarantine_id);
  v_loaded := sluice._find_loaded(p_pipeline);
  v_found := v_found || v_loaded.loaded;
  is_ok := v_found = '{}';
  detail := coalesce(sluice._first_of(nullif(v_found, '{}')), (
    select format('open: %s, closed: %s', count(*) filter (where q.status = 'open'), count(*) filter (where q.status <> 'open'))
      || case when count(*) > 0 then ', as their history says' else '' end
      || coalesce('; not checked against the target: ' || v_loaded.unread, '')
    from sluice.quarantine q where q.pipeline_id = p_pipeline.pipeline_id));
end
$$;

comment on function sluice._verify_quarantine(sluice.pipelines) is
  'Whether quarantined records name batches of the ledger, are closed by what may close them, and, while they are open, have no row in the target.';
