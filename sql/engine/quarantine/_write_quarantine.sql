create or replace function sluice._write_quarantine()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  if not exists (select from pg_temp.sluice_faults) then
    return;
  end if;
  perform sluice._refuse_missing_payloads(true);
  select b.batch_id, b.owner_id, b.precedence, c.version into v from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  with record as materialized (
    -- The last record with the same bytes.
    select distinct on (sha256(r.payload))
      sha256(r.payload) as hash, r.payload, o.origin, r.position, f.ordinal,
      f.sqlstate, f.message, f.detail, f.constraint_name, f.column_name, k.keys,
      count(*) over (partition by sha256(r.payload)) as seen_count
    from pg_temp.sluice_faults f
    join (
      select ordinal, position, convert_to(payload, 'UTF8') as payload from sluice._staged_payloads()
      where ordinal in (select ordinal from pg_temp.sluice_faults)
      union all
      select ordinal, position, payload from pg_temp.sluice_unreadable) r using (ordinal)
    left join sluice._record_keys(true) k using (ordinal)
    left join lateral (
      select o.origin from pg_temp.sluice_origins o
      where o.first_ordinal <= f.ordinal order by o.first_ordinal desc limit 1) o on true
    order by sha256(r.payload), f.ordinal desc
  ), discarded as (
    -- What was discarded or erased stays so if it comes again.
    update sluice.quarantine q set
      seen_count = q.seen_count + case when v.precedence = 'arrival_only' then 0 else r.seen_count end,
      last_seen_at = case when v.precedence = 'arrival_only' then q.last_seen_at else now() end,
      last_batch_id = case when v.precedence = 'arrival_only' or v.precedence = 'backfill' and exists (
        select from sluice.batches b where b.batch_id = q.last_batch_id and b.pipeline_id = q.pipeline_id)
        then q.last_batch_id else v.batch_id end
    from (
      select r.ordinal, r.hash, r.seen_count, max(d.quarantine_id) as id
      from record r join sluice.quarantine d
        on d.pipeline_id = v.owner_id and d.payload_sha256 = r.hash and d.status in ('discarded', 'erased')
      group by r.ordinal, r.hash, r.seen_count) r
    -- Looked up, not joined: there may be very many open records.
    where q.quarantine_id = r.id and (
      select x.quarantine_id from sluice.quarantine x
      where x.pipeline_id = v.owner_id and x.payload_sha256 = r.hash and x.status = 'open') is null
    returning r.ordinal
  )
  insert into sluice.quarantine as q (
    pipeline_id, payload_sha256, payload, origin, position, version, sqlstate, message, detail,
    constraint_name, column_name, keys, seen_count, first_batch_id, last_batch_id)
  select v.owner_id, r.hash, r.payload, r.origin, r.position, v.version, r.sqlstate, r.message, r.detail,
    r.constraint_name, r.column_name, r.keys, r.seen_count, v.batch_id, v.batch_id
  from record r
  where r.ordinal not in (select d.ordinal from discarded d)
  order by r.ordinal
  on conflict (pipeline_id, payload_sha256) where status = 'open' do update set
    seen_count = q.seen_count + case when v.precedence = 'arrival_only' then 0 else excluded.seen_count end,
    version = excluded.version, sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
    constraint_name = excluded.constraint_name, column_name = excluded.column_name, keys = excluded.keys,
    last_seen_at = case when v.precedence = 'arrival_only' then q.last_seen_at else excluded.last_seen_at end,
    -- What a reload or a backfill finds again arrived when the pipeline itself read it.
    (last_batch_id, origin, position) = (
      select case when x.has_arrived then q.last_batch_id else excluded.last_batch_id end,
        case when x.has_arrived then q.origin else excluded.origin end,
        case when x.has_arrived then q.position else excluded.position end
      from (
        select v.precedence = 'arrival_only' or v.precedence = 'backfill' and exists (
          select from sluice.batches b
          where b.batch_id = q.last_batch_id and b.pipeline_id = q.pipeline_id) as has_arrived) x);
end
$$;

comment on function sluice._write_quarantine() is
$$Writes the faulty records of the batch, each with its exact bytes. A record that is open already, or was discarded,
moves its counters.$$;
