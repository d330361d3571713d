create or replace function sluice._retain_batch(p_pipeline_id integer, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB' -- the payloads of one batch
set jit = off
as $$
declare
  v_stopped integer[] := sluice._stopped_records();
begin
  perform sluice._refuse_missing_payloads(false);
  if not exists (
    select from sluice._staged_payloads() s where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) then
    return;
  end if;
  -- Nothing is sorted: tables lie in the order of the records. By bytes, as a value has a limit and records have none.
  execute format($sql$insert into %s (batch_id, first_ordinal, ordinals, positions, payloads)
select $1, min(c.ordinal), array_agg(c.ordinal), array_agg(c.position), array_agg(c.payload)
from (
  select s.ordinal, s.position, case when s.ordinal <> all ($2) then s.payload end as payload,
    sum(octet_length(s.payload) + 32) over (rows unbounded preceding) / 131072 as chunk
  from sluice._staged_payloads() s
  where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) c
group by c.chunk$sql$,
    sluice._make_raw_table(p_pipeline_id, (clock_timestamp() at time zone 'UTC')::date)) using p_batch_id, v_stopped;
end
$$;

comment on function sluice._retain_batch(integer, bigint) is
  'Keeps the payloads of the records that the batch has loaded or filtered. Those it has set aside are in quarantine.';

-- Of a key that was erased and stopped (sluice.erase) nothing is kept but the place of its records.
create or replace function sluice._stopped_records()
returns integer[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v         record;
  v_stopped integer[];
begin
  select c.target, c.key, c.rows_table::regclass as rows_table into v from pg_temp.sluice_compiled c;
  if not exists (
    select from sluice.tombstones d where d.target = sluice._qualified_name(v.target) and d.is_final) then
    return '{}';
  end if;
  execute format($sql$select coalesce(array_agg(distinct s.sluice_ordinal), '{}')
from %s s join sluice.tombstones d on d.key_hash = %s
where d.target = $1 and d.is_final$sql$, v.rows_table, sluice._key_hash(v.target, v.key, 's'))
    into v_stopped using sluice._qualified_name(v.target);
  return v_stopped;
end
$$;

-- The table for the payloads that a pipeline retains on a day (UTC), made if it is not there. One a pipeline and day,
-- so that getting rid of a day costs nothing; no partitions of one table, as making and dropping a partition locks the
-- whole: a dry run would hold up every other pipeline, and each prune every batch. Operators may not create or drop
-- tables in the engine's schema: this and _drop_raw_table run with the rights of its owner.
create or replace function sluice._make_raw_table(p_pipeline_id integer, p_day date)
returns regclass
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name     text := format('raw_%s_%s', p_pipeline_id, to_char(p_day, 'YYYYMMDD'));
  v_relation regclass := to_regclass(format('sluice.%I', v_name));
begin
  if v_relation is not null then
    return v_relation;
  end if;
  begin
    execute format('create table sluice.%I (like sluice.raw_chunks including all)', v_name);
  exception when duplicate_table or unique_violation then
    return to_regclass(format('sluice.%I', v_name)); -- another session has made it meanwhile
  end;
  v_relation := to_regclass(format('sluice.%I', v_name));
  execute format('comment on table %s is %L', v_relation, format('Payloads of pipeline %s, retained on %s (UTC).',
    (select p.name from sluice.pipelines p where p.pipeline_id = p_pipeline_id), to_char(p_day, 'YYYY-MM-DD')));
  if exists (select from pg_roles where rolname = 'sluice_reader') then
    execute format('grant select on %s to sluice_reader', v_relation);
  end if;
  if exists (select from pg_roles where rolname = 'sluice_operator') then
    execute format('grant select, insert, update, delete on %s to sluice_operator', v_relation);
  end if;
  return v_relation;
end
$$;

-- Drops what a pipeline retained on a day; returns the bytes. Raises 55P03 when somebody reads it.
create or replace function sluice._drop_raw_table(p_pipeline_id integer, p_day date)
returns bigint
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation regclass := to_regclass(format('sluice.raw_%s_%s', p_pipeline_id, to_char(p_day, 'YYYYMMDD')));
  v_bytes    bigint := pg_total_relation_size(v_relation);
begin
  if v_relation is not null then
    -- Without waiting: who reads a table has it to the end of their transaction.
    execute format('lock table %s in access exclusive mode nowait', v_relation);
    execute format('drop table %s', v_relation);
  end if;
  return v_bytes;
end
$$;
