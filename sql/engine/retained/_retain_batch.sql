create or replace function sluice._retain_batch(p_pipeline_id integer, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB' -- the payloads of one batch
set jit = off
as $$
begin
  if not exists (
    select from pg_temp.sluice_staging s where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) then
    return;
  end if;
  -- Staging lies in the order of the records, so nothing is sorted. By bytes, as a value has a
  -- limit and records have none.
  execute format($sql$insert into %s (batch_id, first_ordinal, ordinals, positions, payloads)
select $1, min(c.ordinal), array_agg(c.ordinal), array_agg(c.position), array_agg(c.payload)
from (
  select s.ordinal, s.position, s.payload,
    sum(octet_length(s.payload) + 32) over (rows unbounded preceding) / 131072 as chunk
  from pg_temp.sluice_staging s
  where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)) c
group by c.chunk$sql$,
    sluice._make_raw_table(p_pipeline_id, (clock_timestamp() at time zone 'UTC')::date)) using p_batch_id;
end
$$;

comment on function sluice._retain_batch(integer, bigint) is
  'Keeps the payloads of the records that the batch has loaded or filtered. Those it has set aside are in quarantine.';
