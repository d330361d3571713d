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

-- Notes the records whose parent row is missing as suspects; p_ordinals: looks at these only, null for all.
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

-- Marks the rows of the batch that a newer row of the same key replaces; anew whenever a record leaves the batch.
-- Rows that were left out as outdated are looked at anew as well. p_is_first: none has been marked yet.
create or replace function sluice._mark_superseded_rows(p_is_first boolean default false)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_statement text;
begin
  if not p_is_first and exists (select from pg_temp.sluice_rows where sluice_state in ('s', 'o', 'u')) then
    update pg_temp.sluice_rows set sluice_state = null where sluice_state in ('s', 'o', 'u');
  end if;
  for v_statement in select t.superseded_sql from pg_temp.sluice_targets t order by t.number loop
    execute v_statement;
  end loop;
end
$$;

-- Leaves rows out of the merge that must not overwrite or bring back newer ones (see _outdated_sql); returns how many
-- in all.
create or replace function sluice._mark_outdated_rows()
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_batch          record;
  v_target         text;
  v_has_tombstones boolean;
  v_marked         bigint;
begin
  select b.pipeline_id, b.precedence, c.target, c.key, c.order_by into v_batch
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  v_target := sluice._qualified_name(v_batch.target);
  v_has_tombstones := (v_batch.precedence <> 'live' or v_batch.order_by is not null)
    and exists (select from sluice.tombstones d where d.target = v_target);
  if v_batch.precedence = 'live' and not v_has_tombstones then
    return 0;
  end if;
  if v_batch.precedence <> 'live' then
    perform sluice._note_replayed_keys(v_batch.target);
  end if;
  execute sluice._outdated_sql(v_batch.target, v_batch.key, v_batch.order_by, v_batch.precedence, v_has_tombstones,
      sluice._rows_to_look_up(v_batch.target, v_batch.key, v_batch.precedence))
    using v_batch.pipeline_id, (
      select max(l.committed_at - make_interval(case when p.backfill_of is null then 0 else 1000 end))
      from sluice.pipelines p
      cross join lateral (
        select b.committed_at from sluice.batches b
        where b.pipeline_id = p.pipeline_id and b.kind = 'load' and b.unchanged > 0
        order by b.committed_at desc limit 1) l
      where p.target = v_target and v_batch.precedence = 'arrival');
  select count(*) into v_marked from pg_temp.sluice_rows where sluice_state in ('o', 'u');
  return v_marked;
end
$$;

-- Where the rows are that the batch may meet. Those of other servers are fetched: a statement that reads them changes
-- no table of the session.
create or replace function sluice._rows_to_look_up(p_target oid, p_key text[], p_precedence text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
begin
  if p_precedence = 'live' or not sluice._is_distributed(p_target) then
    return p_target::regclass;
  end if;
  drop table if exists pg_temp.sluice_met;
  execute format($sql$create temporary table sluice_met on commit drop as
select t.* from %s t join (select distinct %s from pg_temp.sluice_rows where sluice_state is null) s on %s$sql$,
    p_target::regclass, (select string_agg(quote_ident(k), ', ') from unnest(p_key) k),
    sluice._key_condition(p_target, p_key, 't', 's'));
  return 'pg_temp.sluice_met';
end
$$;

-- Counts the records of the open batch and the rows they made. superseded: without the known records.
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
