-- Merges the live rows of the batch into their targets. Records that fail (a second unique constraint, a trigger, a
-- deferred constraint) are found by trial, and everything is done again without them.
create or replace function sluice._merge_rows(out books sluice.batches[], out outdated bigint, out places tid[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v          sluice.compiled;
  v_done     record;
  v_late     record;
  v_dropped  bigint[];
  v_waits    boolean := false; -- whether there are deletes that wait
  v_has_children boolean := (select b.has_children from pg_temp.sluice_batch b);
  v_attempts integer := 0;
begin
  loop
    outdated := sluice._mark_outdated_rows();
    books := '{}';
    begin
      -- Constraints between the targets are checked once all of them are written, if they can be.
      if v_has_children then
        set constraints all deferred;
        select d.dropped, d.has_waiting into v_dropped, v_waits from sluice._drop_children(null, null) d;
      end if;
      perform sluice._capture_changes((select b.batch_id from pg_temp.sluice_batch b));
      for v in select * from pg_temp.sluice_targets t order by t.number loop
        v_done := sluice._merge_target(v, v_attempts > 0);
        v_done.book.deleted := (v_done.book).deleted + coalesce(v_dropped[v.number], 0);
        v_done.book.produced := coalesce(v_dropped[v.number], 0);
        books := books || v_done.book;
        places := v_done.places;
      end loop;
      for v in select * from pg_temp.sluice_targets t where v_waits order by t.number desc loop
        v_late := sluice._delete_waiting(v, v_attempts > 0);
        books[v.number].deleted := books[v.number].deleted + v_late.deleted + v_late.dropped;
        books[v.number].produced := books[v.number].produced + v_late.dropped;
      end loop;
      perform sluice._check_deferred(v.search_path);
      exit;
    exception
      when sqlstate 'SL004' then
        -- Another session wrote to the target between the count and the merge, or a trigger swallowed a row. Look
        -- again; if it persists, it is a trigger.
        v_attempts := v_attempts + 1;
        if v_attempts >= 3 then
          raise;
        end if;
      when others then
        if sluice._is_run_fault(sqlstate) then
          raise;
        end if;
        if not sluice._isolate_merge_faults() then
          v_attempts := v_attempts + 1;
          if v_attempts >= 3 then
            raise; -- no record fails by itself or together with others: not a record's fault
          end if;
        end if;
        perform sluice._mark_faulty_rows();
        perform sluice._mark_superseded_rows();
    end;
  end loop;
  perform sluice._bury_deleted_keys();
end
$$;

comment on function sluice._merge_rows() is
$$Merges the live rows of the batch and returns what was done to each target. outdated: rows that were left out
beforehand, see sluice._outdated_sql. places: where the rows stand, if all were inserted. SL004: a trigger swallows
rows.$$;

-- At commit, deferred constraints would fail without telling which record is to blame. Their triggers see the
-- definer's search_path, as under any writer.
create or replace function sluice._check_deferred(p_search_path text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('search_path', p_search_path, true);
  set constraints all immediate;
end
$$;

-- Sets a tombstone for every key that the batch deleted, and removes those of keys that it brought back.
create or replace function sluice._bury_deleted_keys()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v sluice.compiled;
begin
  select * into v from pg_temp.sluice_compiled;
  if exists (select from sluice.tombstones d where d.target = sluice._qualified_name(v.target)) then
    execute v.revive_sql;
  end if;
  if v.has_deleted and exists (select from pg_temp.sluice_rows s where s.sluice_state is null and s.sluice_deleted) then
    perform sluice._fetch_met(v.target, v.fetch_sql) where v.fetch_sql is not null; -- as the merge has left it
    execute v.bury_sql;
  end if;
end
$$;
