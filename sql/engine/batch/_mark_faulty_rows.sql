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

-- Notes records whose parent row is missing as suspects; p_ordinals: only these, null for all.
create or replace function sluice._check_references(p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- Index lookups only: the cost must not grow with the parent table.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_check text;
begin
  for v_check in
    select c.statement
    from pg_temp.sluice_targets t cross join lateral unnest(t.reference_checks) with ordinality c (statement, place)
    order by t.number, c.place
  loop
    execute v_check using p_ordinals;
  end loop;
  if v_check is not null then
    perform sluice._mark_faulty_rows();
  end if;
end
$$;

-- Marks the rows of the batch that a newer row with the same key replaces; repeated whenever a record leaves the
-- batch. Rows that were left out as outdated are considered again as well. p_is_first: none has been marked yet.
create or replace function sluice._mark_superseded_rows(p_is_first boolean default false)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  if not p_is_first and exists (select from pg_temp.sluice_rows where sluice_state in ('s', 'o', 'u')) then
    update pg_temp.sluice_rows set sluice_state = null where sluice_state in ('s', 'o', 'u');
  end if;
  for v in select t.follow_sql, t.superseded_sql from pg_temp.sluice_targets t order by t.number loop
    if v.follow_sql is not null then
      perform sluice._follow_parents(v.follow_sql);
    end if;
    execute v.superseded_sql;
  end loop;
end
$$;

-- Counts the records of the open batch and the rows they made. superseded: without the known records. p_records,
-- p_rows: see _transform_records.
create or replace function sluice._count_records(p_records bigint default null, p_rows bigint default null)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
-- Not in SQL, which keeps its plan until the transaction ends: sluice_rows may be another table in it.
declare
  v_records    bigint := p_records;
  v_rows       bigint := p_rows;
  v_superseded bigint := 0;
begin
  if v_records is null then
    select count(distinct sluice_ordinal), count(*), count(*) filter (where sluice_state = 's')
      into v_records, v_rows, v_superseded
    from pg_temp.sluice_rows where sluice_state is distinct from 'f';
  end if;
  -- A record is quarantined if it has a fault, transformed if it has rows or is known by a row, filtered if it has
  -- none of these; each is counted from its own table.
  update pg_temp.sluice_batch b set (transformed, filtered, quarantined, produced, superseded, known) = (
    select v_records + k.records, b.extracted - v_records - k.records - f.records, f.records,
      v_rows + k.records, v_superseded, k.records
    from (select count(*) as records from pg_temp.sluice_faults) f,
      (select count(*) as records from pg_temp.sluice_known) k);
end
$$;
