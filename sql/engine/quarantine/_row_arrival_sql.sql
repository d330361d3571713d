create or replace function sluice._row_arrival_sql(p_batch text, p_key_hash text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  -- A replay wrote what had come before it, at different times.
  select format('(
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = %s
      where a.batch_id = %s)', p_key_hash, p_batch)
$$;

comment on function sluice._row_arrival_sql(text, text) is
$$The subquery for when the record arrived that made a row or tombstone, and which pipeline or backfill read it, by the
batch that wrote it and the hash of its key. None for other writers, and for pipelines that were dropped.$$;
