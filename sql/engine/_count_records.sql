create or replace function sluice._count_records(out extracted bigint, out transformed bigint, out filtered bigint, out quarantined bigint, out produced bigint, out superseded bigint)
language sql volatile
set search_path = ''
as $$
  -- A record is quarantined when it has a fault, transformed when it has rows, filtered when
  -- it has neither; each is counted from its own table.
  select s.records + u.records, r.records, s.records + u.records - r.records - f.records, f.records, r.rows, r.superseded
  from (select count(*) as records from pg_temp.sluice_staging) s,
       (select count(*) as records from pg_temp.sluice_unreadable) u,
       (select count(*) as records from pg_temp.sluice_faults) f,
       (select count(distinct sluice_ordinal) as records, count(*) as rows,
          count(*) filter (where sluice_state = 's') as superseded
        from pg_temp.sluice_rows where sluice_state is distinct from 'f') r
$$;

comment on function sluice._count_records() is
  'The record counters of the open batch.';
