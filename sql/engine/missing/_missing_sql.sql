create or replace function sluice._missing_sql(p_target oid, p_key text[], p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Rows written since the snapshot began belong to it, or are newer.
  select format($sql$insert into pg_temp.sluice_missing (class, place, key_hash, is_missing)
select t.tableoid, t.ctid, %1$s, true from %2$s t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1
  and coalesce(b.batch_seq < $2, b.committed_at < $3))%3$s
  and not exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = %1$s)$sql$,
      w.key_hash, w.target, ' and ' || w.is_unmarked)
    || case when p_mark_column is null then '' else format($sql$
union all
select t.tableoid, t.ctid, %1$s, false from %2$s t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1) and not (%3$s)
  and exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = %1$s)$sql$,
      w.key_hash, w.target, w.is_unmarked) end
  from (
    select sluice._key_hash(p_target, p_key, 't') as key_hash, sluice._met(p_target) as target,
      sluice._unmarked_condition(p_target, p_mark_column) as is_unmarked) w
$$;

comment on function sluice._missing_sql(oid, text[], text) is
$$Finds the rows of a pipeline whose key the snapshot has not seen, and those that are marked and whose key it has.
$1: the pipeline; $2, $3: with which batch and when the snapshot began.$$;

-- Fetches from a distributed target what has to be found there: rows whose key the snapshot has not seen, and marked
-- ones. $1: the pipeline.
create or replace function sluice._fetch_missing_sql(p_target oid, p_key text[], p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into %s
select t.* from %s t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1)
  and (%snot exists (
    select from (
      select pg_catalog.unnest(k.key_hashes) as key_hash from sluice.snapshot_keys k where k.pipeline_id = $1) k
    where k.key_hash = %s))$sql$,
    sluice._met(p_target), p_target::regclass,
    'not ' || sluice._unmarked_condition(p_target, p_mark_column) || ' or ', sluice._key_hash(p_target, p_key, 't'))
$$;

-- Deletes the rows that were found, or marks and unmarks them, and counts them. $1: the batch.
create or replace function sluice._write_missing_sql(p_target oid, p_key text[], p_order_by text, p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- With a tombstone for each deleted row, as for any deleted key; for a distributed target in a separate statement.
  select format(E'with written as (\n  %s\nselect pg_catalog.count(*) from written', case
      when p_mark_column is null and sluice._is_distributed(p_target) then format(
        E'delete from %s t using %s m where %s\n  returning 1)', p_target::regclass, n.noted, n.is_noted)
      when p_mark_column is null then format($sql$delete from %s t using %s m where %s
  returning %s),
tombstones as (%s)$sql$, p_target::regclass, n.noted, n.is_noted,
        sluice._buried_columns(p_target, p_key, p_order_by, 't'),
        sluice._tombstone_sql(p_target, p_order_by, 'select * from written', '$1'))
      else format($sql$update %s t set %I = %s, sluice_batch = $1 from %s m where %s
  returning 1)$sql$, p_target::regclass, p_mark_column, n.mark, n.noted, n.is_noted) end)
  from (
    select 'pg_temp.sluice_missing' as noted, format('t.tableoid = m.class and t.ctid = m.place and m.key_hash = %s',
      sluice._key_hash(p_target, p_key, 't')) as is_noted, sluice._mark_sql(p_target, p_mark_column) as mark
    where not sluice._is_distributed(p_target)
    union all
    select format('(select r.*%s from pg_temp.sluice_missing m join %s r '
        'on r.tableoid = m.class and r.ctid = m.place)',
        ', ' || sluice._mark_sql(p_target, p_mark_column) || ' as sluice_mark', sluice._met(p_target)),
      sluice._key_condition(p_target, p_key, 't', 'm'), 'm.sluice_mark'
    where sluice._is_distributed(p_target)) n
$$;

create or replace function sluice._bury_missing_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._tombstone_sql(p_target, p_order_by, format('select %s from pg_temp.sluice_missing n join %s t on '
      't.tableoid = n.class and t.ctid = n.place', sluice._buried_columns(p_target, p_key, p_order_by, 't'),
      sluice._met(p_target)), '$1')
  where sluice._is_distributed(p_target)
$$;

-- What the mark column of a row of sluice_missing becomes.
create or replace function sluice._mark_sql(p_target oid, p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case a.atttypid
    when 'boolean'::regtype then 'm.is_missing'
    else 'case when m.is_missing then pg_catalog.now() end' end
  from pg_attribute a where a.attrelid = p_target and a.attname = p_mark_column
$$;

-- Whether a row t of the target is not marked as missing; null without a mark column.
create or replace function sluice._unmarked_condition(p_target oid, p_mark_column text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format(case a.atttypid when 'boolean'::regtype then 't.%I is not true' else 't.%I is null' end, a.attname)
  from pg_attribute a
  where a.attrelid = p_target and a.attname = p_mark_column
$$;
