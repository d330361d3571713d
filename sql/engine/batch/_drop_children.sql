-- Before the merges: rows that their parents no longer have leave the further targets, the last target first, and the
-- parents whose children change are marked. Returns how many rows left each target. p_first, p_last: only for these
-- records, as in a trial; null for all, when what is deleted has to be what was found (SL004).
create or replace function sluice._drop_children(p_first integer, p_last integer)
returns bigint[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v          sluice.compiled;
  v_batch    record;
  v_found    bigint;
  v_dropped  bigint[];
begin
  select b.pipeline_id, b.batch_id into v_batch from pg_temp.sluice_batch b where p_first is null;
  if exists (select from pg_temp.sluice_dropped) then
    truncate pg_temp.sluice_dropped;
  end if;
  for v in select * from pg_temp.sluice_targets t where t.drop_sql is not null order by t.number desc loop
    v_found := sluice._execute_by_hash(v.dropped_sql, p_first, p_last);
    v_dropped[v.number] := sluice._drop_found(v, v_found, v_batch.pipeline_id, v_batch.batch_id);
  end loop;
  if v_dropped is not null then
    perform sluice._touch_parents();
  end if;
  return v_dropped;
end
$$;

comment on function sluice._drop_children(integer, integer) is
  'Deletes rows of further targets that a newer record of their parent no longer makes, or whose parent it deletes.';

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
