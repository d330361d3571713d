create or replace function sluice._count_records()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
-- Not in SQL, which keeps its plan to the end of the transaction: sluice_rows may be another one in it.
begin
  -- A record is quarantined when it has a fault, transformed when it has rows or is known by a
  -- row, filtered when it has none of these; each is counted from its own table.
  update pg_temp.sluice_batch b set (transformed, filtered, quarantined, produced, superseded, known) = (
    select r.records + k.records, b.extracted - r.records - k.records - f.records, f.records,
      r.rows + k.records, r.superseded, k.records
    from (select count(*) as records from pg_temp.sluice_faults) f,
      (select count(*) as records from pg_temp.sluice_known) k,
      (select count(distinct sluice_ordinal) as records, count(*) as rows,
         count(*) filter (where sluice_state = 's') as superseded
       from pg_temp.sluice_rows where sluice_state is distinct from 'f') r);
end
$$;

comment on function sluice._count_records() is
  'Counts the records of the open batch and the rows they made. superseded: without the known records.';
