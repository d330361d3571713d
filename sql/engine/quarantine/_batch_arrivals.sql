-- When the records of a batch count as having arrived: at its commit, those of a reload at the commit of the
-- batch they were first in; but what a backfill reads is of the past, and came before everything the pipeline
-- itself has read. Without settings of its own: it becomes part of the query that joins it.
create or replace function sluice._batch_arrivals()
returns table (batch_id bigint, read_by integer, arrived_at timestamptz)
language sql stable
as $$
  select b.batch_id, o.pipeline_id,
    o.committed_at - pg_catalog.make_interval(case when p.backfill_of is null then 0 else 1000 end)
  from sluice._all_batches() b
  join sluice._all_batches() o on o.batch_id = coalesce(b.reloads, b.batch_id)
  join sluice.pipelines p on p.pipeline_id = o.pipeline_id
$$;

comment on function sluice._batch_arrivals() is
  'For each batch: the pipeline or backfill that read its records, and when they count as having arrived.';

-- The subquery for when the record arrived that made a row or tombstone, and which pipeline or backfill read it, by
-- the batch that wrote it and the hash of its key. None for other writers, and for dropped pipelines.
create or replace function sluice._row_arrival_sql(p_batch text, p_key_hash text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  -- A replay wrote records that had arrived before it, at different times.
  select format('(
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = %s
      where a.batch_id = %s)', p_key_hash, p_batch)
$$;

-- Notes by key when the records arrived that replays have loaded into a target, if that is still to be done: a replay
-- is first noted with an empty key_hash, and so are those from before this table; their keys follow when they are
-- needed.
create or replace function sluice._note_replayed_keys(p_target oid)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_replay record;
begin
  -- Usually nothing; and those who only read may not delete.
  if not exists (select from sluice.replayed_keys r where r.key_hash = '') then
    return;
  end if;
  for v_replay in
    delete from sluice.replayed_keys r
    using sluice.batches b, sluice.pipelines p, sluice.transforms t
    where r.key_hash = '' and b.batch_id = r.batch_id and p.pipeline_id = b.pipeline_id
      and p.target = sluice._qualified_name(p_target)
      and t.pipeline_id = b.pipeline_id and t.version = b.version
    returning r.batch_id, t.key
  loop
    execute (
      select format($sql$insert into sluice.replayed_keys (batch_id, key_hash, arrived_at, read_by)
select $1, %s as key_hash, max(coalesce(a.arrived_at, q.last_seen_at)),
  -- Of several records with the key the last one counts, and those of the pipeline itself came later than a
  -- backfill's.
  case when min(a.read_by) = max(a.read_by) then min(a.read_by) end
from sluice.quarantine q
cross join lateral pg_catalog.jsonb_array_elements(q.keys) x (key)
cross join lateral pg_catalog.jsonb_to_record(x.key) as k (%s)
left join sluice._batch_arrivals() a on a.batch_id = q.last_batch_id
where q.resolved_batch_id = $1
group by key_hash$sql$,
        sluice._key_hash(p_target, v_replay.key, 'k'), string_agg(format('%I %s', c.column_name, c.type_name), ', '))
      from sluice._target_columns(p_target, v_replay.key) c) using v_replay.batch_id;
  end loop;
end
$$;
