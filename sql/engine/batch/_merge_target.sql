-- One target of a batch. What the merge will do is counted beforehand, and has to be what it says it did.
create or replace function sluice._merge_target(
  p_target sluice.compiled, p_is_exact boolean, out book sluice.batches, out places tid[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_overlaps boolean;
  v_rows     bigint;
  v_done     record;
  v_noted    bigint;
begin
  select 0, 0, 0, 0, 0 into book.inserted, book.updated, book.deleted, book.unchanged, book.stale;
  if not exists (
    select from pg_temp.sluice_rows r where r.sluice_state is null and r.tableoid = p_target.rows_table) then
    return;
  end if;
  if p_target.insert_sql is not null then
    select o.rows, o.overlaps into v_rows, v_overlaps from sluice._find_overlap(p_target.overlap_sql) o;
  end if;
  if v_overlaps is false then
    -- All new: the same result without the join of the merge.
    book.inserted := v_rows;
    v_noted := sluice._note_deliveries(p_target);
    v_done := sluice._execute_insert(p_target.insert_sql, p_target.search_path, p_target.keeps_places);
    places := v_done.places;
  else
    perform sluice._plan_by_index('sluice_count', p_target.count_sql);
    execute 'execute sluice_count' into book.inserted, book.updated, book.deleted, book.unchanged, book.stale;
    if book.inserted + book.updated + book.deleted = 0 then
      return;
    end if;
    v_noted := sluice._note_deliveries(p_target);
    v_done := sluice._execute_merge(p_target.merge_sql, p_target.search_path, p_target.target, p_is_exact);
  end if;
  v_rows := book.inserted + book.updated + book.deleted;
  if v_done.written <> v_rows or v_noted <> v_rows
    or (v_done.inserted, v_done.updated, v_done.deleted) <> (book.inserted, book.updated, book.deleted) then
    raise exception using errcode = 'SL004',
      message = format('%s rows were to be written to %s, but %s were%s', v_rows, p_target.target::regclass,
        v_done.written, case when v_done.inserted is not null then
          format(' (%s inserted, %s updated, %s deleted instead of %s, %s, %s)',
            v_done.inserted, v_done.updated, v_done.deleted, book.inserted, book.updated, book.deleted) end),
      detail = coalesce(sluice._row_triggers(p_target.target), ''),
      hint = 'a trigger that returns null makes a row vanish: let it raise an exception (the record is '
        'quarantined) or filter in the transform';
  end if;
end
$$;

comment on function sluice._merge_target(sluice.compiled, boolean) is
$$Merges the live rows of the batch into one target, as an insert if all are new. p_is_exact: see _execute_merge. SL004
when what was written is not what was counted.$$;

-- How many rows the batch has, and whether they may meet rows of the target; false if they certainly do not.
create or replace function sluice._find_overlap(p_statement text, out rows bigint, out overlaps boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- By looking into the index, however few rows the planner thinks it would have to read instead.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
begin
  execute p_statement into rows, overlaps;
end
$$;

-- What may make a row vanish that a statement was to write; null if there is nothing.
create or replace function sluice._row_triggers(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'before row triggers: ' || string_agg(t.tgname, ', ' order by t.tgname) from pg_trigger t
  where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3
$$;
