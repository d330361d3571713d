create or replace function sluice._missing_sql(p_target oid, p_key text[], p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Rows written since the snapshot began are of this snapshot, or newer.
  select format($sql$insert into pg_temp.sluice_missing (class, place, key_hash, is_missing)
select t.tableoid, t.ctid, %1$s, true from %2$s t
where t.sluice_batch in (select b.batch_id from sluice.batches b where b.pipeline_id = $1
  and coalesce(b.batch_seq < $2, b.committed_at < $3))%3$s
  and not exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = %1$s)$sql$,
      w.key_hash, w.target, ' and ' || w.is_unmarked)
    || case when p_mark_column is null then '' else format($sql$
union all
select t.tableoid, t.ctid, %1$s, false from %2$s t
where t.sluice_batch in (select b.batch_id from sluice.batches b where b.pipeline_id = $1) and not (%3$s)
  and exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = %1$s)$sql$,
      w.key_hash, w.target, w.is_unmarked) end
  from (
    select sluice._key_hash(p_target, p_key, 't') as key_hash, p_target::regclass as target,
      sluice._unmarked_condition(p_target, p_mark_column) as is_unmarked) w
$$;

comment on function sluice._missing_sql(oid, text[], text) is
$$Finds the rows of a pipeline whose key the snapshot has not seen, and those that are marked and whose key it has.
$1: the pipeline; $2, $3: with which batch and when the snapshot began.$$;
