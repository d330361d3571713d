create or replace function sluice._is_of_backfill(p_batch_id bigint, p_key jsonb, p_backfill_id integer)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((
    select case when b.kind = 'replay' and b.reloads is null then (
        -- Of several records with the key the last one counts, and those of the pipeline itself came later.
        select bool_and(l.pipeline_id = p_backfill_id)
        from sluice.quarantine q left join sluice.batches l on l.batch_id = q.last_batch_id
        where q.resolved_batch_id = b.batch_id and q.keys @> jsonb_build_array(p_key))
      else coalesce((select o.pipeline_id from sluice.batches o where o.batch_id = b.reloads), b.pipeline_id) = p_backfill_id end
    from sluice.batches b where b.batch_id = p_batch_id), false)
$$;

comment on function sluice._is_of_backfill(bigint, jsonb, integer) is
  'Whether the row of a key comes from a backfill, given the batch that wrote it: loaded by it, or replayed from what it set aside.';
