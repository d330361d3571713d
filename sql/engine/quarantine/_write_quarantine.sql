create or replace function sluice._write_quarantine(p_pipeline_id integer, p_version integer, p_batch_id bigint, p_origins jsonb)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_guard text := (select b.guard from pg_temp.sluice_batch b);
begin
  if not exists (select from pg_temp.sluice_faults) then
    return;
  end if;
  insert into sluice.quarantine as q (
    pipeline_id, payload_sha256, payload, origin, position, version, sqlstate, message, detail,
    constraint_name, column_name, keys, seen_count, first_batch_id, last_batch_id)
  -- The last of the same bytes, in the order of the records.
  select p_pipeline_id, l.hash, l.payload, l.origin, l.position, p_version, l.sqlstate, l.message, l.detail,
    l.constraint_name, l.column_name, l.keys, l.seen_count, p_batch_id, p_batch_id
  from (
    select distinct on (sha256(r.payload))
      sha256(r.payload) as hash, r.payload, sluice._origin_of(p_origins, f.ordinal) as origin, r.position, f.ordinal,
      f.sqlstate, f.message, f.detail, f.constraint_name, f.column_name, k.keys,
      count(*) over (partition by sha256(r.payload)) as seen_count
    from pg_temp.sluice_faults f
    join (
      select ordinal, position, convert_to(payload, 'UTF8') as payload from pg_temp.sluice_staging
      where ordinal in (select ordinal from pg_temp.sluice_faults)
      union all
      select ordinal, position, payload from pg_temp.sluice_unreadable) r using (ordinal)
    left join sluice._record_keys(true) k using (ordinal)
    order by sha256(r.payload), f.ordinal desc) l
  order by l.ordinal
  on conflict (pipeline_id, payload_sha256) where status = 'open' do update set
    seen_count = q.seen_count + case when v_guard = 'arrival_only' then 0 else excluded.seen_count end,
    version = excluded.version, sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
    constraint_name = excluded.constraint_name, column_name = excluded.column_name, keys = excluded.keys,
    last_seen_at = case when v_guard = 'arrival_only' then q.last_seen_at else excluded.last_seen_at end,
    -- What a reload or a backfill finds again has arrived when the pipeline itself read it.
    (last_batch_id, origin, position) = (
      select case when x.has_arrived then q.last_batch_id else excluded.last_batch_id end,
        case when x.has_arrived then q.origin else excluded.origin end, case when x.has_arrived then q.position else excluded.position end
      from (select v_guard = 'arrival_only' or v_guard = 'backfill' and exists (
        select from sluice.batches b where b.batch_id = q.last_batch_id and b.pipeline_id = q.pipeline_id) as has_arrived) x);
end
$$;

comment on function sluice._write_quarantine(integer, integer, bigint, jsonb) is
  'Writes the faulty records of the batch, each with its exact bytes. A record that is open already moves its counters.';
