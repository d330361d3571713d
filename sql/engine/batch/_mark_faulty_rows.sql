create or replace function sluice._mark_faulty_rows()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from pg_temp.sluice_faults) then
    update pg_temp.sluice_rows r set sluice_state = 'f'
    from pg_temp.sluice_faults f
    where f.ordinal = r.sluice_ordinal and r.sluice_state is distinct from 'f';
  end if;
end
$$;

comment on function sluice._mark_faulty_rows() is
  'A record is loaded whole or not at all: marks every row of the records in sluice_faults.';
