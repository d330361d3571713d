-- Before the merges: rows that their parents no longer have leave the further targets, the last target first, and the
-- parents whose children change are marked. dropped: how many rows left each target; has_waiting: there are deletes,
-- also of the merges, that have to wait, see _wait_sql. p_first, p_last: only for these records, as in a trial; null
-- for all, when what is deleted has to be what was found (SL004).
create or replace function sluice._drop_children(
  p_first integer, p_last integer, out dropped bigint[], out has_waiting boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v         sluice.compiled;
  v_batch   record;
begin
  select b.pipeline_id, b.batch_id into v_batch from pg_temp.sluice_batch b where p_first is null;
  if exists (select from pg_temp.sluice_dropped) then
    truncate pg_temp.sluice_dropped;
  end if;
  for v in select * from pg_temp.sluice_targets t where t.dropped_sql is not null order by t.number desc loop
    perform sluice._execute_by_hash(v.dropped_sql, p_first, p_last);
  end loop;
  perform sluice._touch_parents();
  has_waiting := false;
  for v in select * from pg_temp.sluice_targets t order by t.number desc loop
    if v.wait_sql is not null and (
      exists (select from pg_temp.sluice_dropped d where d.number = v.number)
      or exists (select from pg_temp.sluice_rows r
        where r.tableoid = v.rows_table and r.sluice_state is null and r.sluice_deleted))
    then
      has_waiting := sluice._mark_waiting(v.wait_sql) or has_waiting;
    end if;
    if v.drop_sql is not null then
      dropped[v.number] := sluice._drop_found(v, v_batch.pipeline_id, v_batch.batch_id);
    end if;
  end loop;
end
$$;

comment on function sluice._drop_children(integer, integer) is
  'Deletes rows of further targets that a newer record of their parent no longer makes, or whose parent it deletes.';

create or replace function sluice._mark_waiting(p_statements text[])
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_statement text;
  v_count     bigint := 0;
begin
  foreach v_statement in array p_statements loop
    v_count := v_count + sluice._execute_by_hash(v_statement, null, null);
  end loop;
  return v_count > 0;
end
$$;

-- A parent is written if a child of it is. If all parents are new, they are written anyway.
create or replace function sluice._touch_parents()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_overlap_sql text := (select c.overlap_sql from pg_temp.sluice_compiled c);
  v_touch_sql   text;
begin
  if v_overlap_sql is not null and not (sluice._find_overlap(v_overlap_sql)).overlaps then
    return;
  end if;
  update pg_temp.sluice_rows_1 p set sluice_is_touched = true
  where p.ctid = any (array(select d.parent from pg_temp.sluice_dropped d));
  for v_touch_sql in select t.touch_sql from pg_temp.sluice_targets t where t.touch_sql is not null loop
    perform sluice._execute_by_hash(v_touch_sql, null, null);
  end loop;
end
$$;
