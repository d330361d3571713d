create or replace function sluice._arrival(p_batch_id bigint, p_key jsonb)
returns timestamptz
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when b.kind <> 'replay' or b.reloads is not null then sluice._came_at(b)
    -- A replay wrote what had come before it.
    else coalesce((
      select max(coalesce(sluice._came_at(l), q.last_seen_at))
      from sluice.quarantine q left join sluice.batches l on l.batch_id = q.last_batch_id
      where q.resolved_batch_id = b.batch_id and q.keys @> jsonb_build_array(p_key)), b.committed_at) end
  from sluice.batches b
  where b.batch_id = p_batch_id
$$;

comment on function sluice._arrival(bigint, jsonb) is
  'When the record arrived that made the row of a key, given the batch that wrote it; null for rows of other writers, and of pipelines that were dropped.';
