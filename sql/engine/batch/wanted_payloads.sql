-- A record that came as fields needs its payload if it goes to quarantine, is retained, or may be one that waits in
-- quarantine. The loader asks here for the first of these; for the others load_batch raises SL009 if it was not sent,
-- and the loader sends the batch again with all payloads.
create or replace function sluice.wanted_payloads()
returns setof integer
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select f.sluice_ordinal from pg_temp.sluice_fields f
  where f.sluice_ordinal in (select ordinal from pg_temp.sluice_faults)
    and f.sluice_ordinal not in (select ordinal from sluice._staged_payloads())
$$;

comment on function sluice.wanted_payloads() is
$$The bad records of the open batch that were copied into pg_temp.sluice_fields. Copy their payloads into
pg_temp.sluice_payloads before load_batch, which puts them into quarantine.$$;

create or replace function sluice._refuse_missing_payloads(p_is_faulty boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from pg_temp.sluice_fields f
    where f.sluice_ordinal not in (select ordinal from sluice._staged_payloads())
      and (f.sluice_ordinal in (select ordinal from pg_temp.sluice_faults)) = p_is_faulty)
  then
    raise exception using errcode = 'SL009', message = 'payloads of the batch are wanted that were not sent',
      hint = 'copy the payload of every record in pg_temp.sluice_fields into pg_temp.sluice_payloads as well';
  end if;
end
$$;

-- The records of the open batch, as they came.
create or replace function sluice._staged()
returns table (ordinal integer, digest uuid)
language sql stable
-- Without settings of its own, so that it is inlined.
as $$
  select s.ordinal, s.digest from pg_temp.sluice_staging s
  union all
  select f.sluice_ordinal, f.sluice_digest from pg_temp.sluice_fields f
$$;

-- The payloads of the open batch, as far as they were sent.
create or replace function sluice._staged_payloads()
returns table (ordinal integer, "position" bigint, payload text, digest uuid)
language sql stable
-- Without settings of its own, so that it is inlined.
as $$
  select s.ordinal, s.position, s.payload, s.digest from pg_temp.sluice_staging s
  union all
  select p.ordinal, p.position, p.payload, null::pg_catalog.uuid from pg_temp.sluice_payloads p
$$;
