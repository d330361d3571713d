create or replace function sluice._retain_batch(p_pipeline_id integer, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB' -- the payloads of one batch
set jit = off
as $$
declare
  v_stopped integer[] := sluice._stopped_records();
  v_day     date := (clock_timestamp() at time zone 'UTC')::date;
begin
  perform sluice._refuse_missing_payloads(false);
  if not exists (
    select from sluice._staged_payloads() s where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) then
    return;
  end if;
  if to_regclass(sluice._raw_table(p_pipeline_id, v_day)) is null then
    -- Its trigger makes the table, waiting for whoever else is making it.
    insert into sluice.raw_days (pipeline_id, retained_on) values (p_pipeline_id, v_day) on conflict do nothing;
  end if;
  -- Nothing is sorted: the tables are in the order of the records. Chunked by bytes, as a value has a limit and
  -- records have none.
  execute format($sql$insert into %s (batch_id, first_ordinal, ordinals, positions, payloads)
select $1, min(c.ordinal), array_agg(c.ordinal), array_agg(c.position), array_agg(c.payload)
from (
  select s.ordinal, s.position, case when s.ordinal <> all ($2) then s.payload end as payload,
    sum(octet_length(s.payload) + 32) over (rows unbounded preceding) / 131072 as chunk
  from sluice._staged_payloads() s
  where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) c
group by c.chunk$sql$,
    sluice._raw_table(p_pipeline_id, v_day)) using p_batch_id, v_stopped;
end
$$;

comment on function sluice._retain_batch(integer, bigint) is
  'Keeps the payloads of the records that the batch has loaded or filtered. Those it has set aside are in quarantine.';

-- Of records whose key was erased and stopped (sluice.erase) only their place is kept.
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
  select c.target, c.key, c.columns, c.rows_table::regclass as rows_table into v from pg_temp.sluice_compiled c;
  if not exists (
    select from sluice.tombstones d where d.target = sluice._qualified_name(v.target) and d.is_final) then
    return '{}';
  end if;
  execute format($sql$select coalesce(array_agg(distinct s.sluice_ordinal), '{}')
from %s s join sluice.tombstones d on %s
where d.is_final$sql$, v.rows_table, sluice._tombstone_condition(v.target, v.key, v.columns, 's', true)) into v_stopped;
  return v_stopped;
end
$$;
